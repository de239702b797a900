/** The site of docs/: `npm run docs` serves it, `npm --prefix docs run build` writes it and fails on a dead link. */
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitepress";

const root = new URL("..", import.meta.url);
const ROOMS = { tutorials: "Tutorials", "how-to": "How-to", reference: "Reference", explanation: "Explanation", adr: "Decisions" };

/** The pages of a room by their headings, in the order in which docs/README.md links them; others follow by name. */
function pagesOf(room) {
  const index = readFileSync(new URL("README.md", root), "utf8");
  const place = (name) => (index.includes(`(${room}/${name})`) ? index.indexOf(`(${room}/${name})`) : Infinity);
  return readdirSync(new URL(`${room}/`, root))
    .filter((name) => name.endsWith(".md"))
    .sort((a, b) => place(a) - place(b) || a.localeCompare(b))
    .map((name) => ({
      text: /^# (.+)$/m.exec(readFileSync(new URL(`${room}/${name}`, root), "utf8"))[1].replaceAll("`", ""),
      link: `/${room}/${name.slice(0, -".md".length)}`,
    }));
}

export default defineConfig({
  title: "OpenLedger",
  description: "An Ethereum rollup that pays the owners of training data, and proves each step",
  cacheDir: "../.cache/docs",
  outDir: "../.openledger/docs",
  rewrites: { "README.md": "index.md" },
  // Pages link files of the repository, which are no pages of the site.
  ignoreDeadLinks: ["localhostLinks", /^\.?\/?(\.\.\/)+(README|CONTRIBUTING|examples|client|web|e2e)/],
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: Object.entries(ROOMS).map(([room, text]) => ({ text, items: pagesOf(room), collapsed: room === "adr" })),
  },
});
