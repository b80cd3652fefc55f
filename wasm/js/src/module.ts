/** `WebAssembly.Module`, also for projects whose libraries declare no WebAssembly, such as those for Node. */
export type CompiledModule = typeof globalThis extends { readonly WebAssembly: { readonly Module: { readonly prototype: infer M } } } ? M : object;

/** A module, or how it is loaded. */
export type ModuleSource = CompiledModule | (() => Promise<CompiledModule>);
