// What the pictures have in common.

const STYLE = `text{font:14px system-ui,"Segoe UI",Roboto,Arial,sans-serif;fill:#161a23}.title{font-size:18px;font-weight:700}.strong{font-weight:650}.soft{fill:#525c6e}.mono{font-family:monospace;font-size:12px}
.page{fill:#fff}.head{fill:#eceffd;stroke:#3b4cca}.life{stroke:#b6bdcb;stroke-dasharray:4 4}.arrow{stroke-width:2;stroke:#161a23}.tip{fill:#161a23}.box{fill:#fff;stroke:#161a23}.cell{stroke:#fff}
.grant{--c:#17683f}.challenge{--c:#8a4b00}.block{--c:#a8211b}.signal{--c:#0b6478}.change,.unsure{--c:#5c3e96}.neutral{--c:#161a23}.empty{--c:#dde1ea}
.arrow,.box{stroke:var(--c)}.tip,.cell{fill:var(--c)}
@media (prefers-color-scheme:dark){text{fill:#e9ecf3}.soft{fill:#a3aec0}.page,.box{fill:#171b24}.head{fill:#232a49;stroke:#98a5ff}.life{stroke:#3a4457}.cell{stroke:#171b24}.grant{--c:#5fd39b}.challenge{--c:#f5b45a}.block{--c:#ff8f87}.signal{--c:#6fd0e5}.change,.unsure{--c:#c7adff}.neutral{--c:#e9ecf3}.empty{--c:#2c3442}}`;

/** Text that is not markup; a control character is no part of XML. */
export const escape = (raw: string): string =>
  raw
    .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

export function svg(width: number, height: number, title: string, parts: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">\n<style>${STYLE}</style>\n<rect class="page" width="${width}" height="${height}"/>\n${parts.join("\n")}\n</svg>\n`;
}
