/** On servers size matters little: the module with everything is optimised for speed, and decides in half the time. */
export { load } from "./tools.file.js";
