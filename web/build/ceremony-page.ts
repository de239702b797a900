/** The page of a ceremony's coordinator, which serves it itself: no rollup is there yet. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildScript, cacheFolder, hashSources } from "./build-pages.ts";

export interface CeremonyPageFile {
  /** The address that it is served at. */
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>OpenLedger: a key that no one can misuse</title>
<link rel="stylesheet" href="./assets/ceremony.css">
<script defer src="./assets/ceremony.js"></script>
</head>
<body>
<div id="page"></div>
<noscript>This page contributes to a key by itself. It needs JavaScript.</noscript>
</body>
</html>
`;

/** Built where a source changed: seconds. */
export async function buildCeremonyPage(): Promise<readonly CeremonyPageFile[]> {
  const name = createHash("sha256").update(hashSources("ceremony")).update(HTML).digest("hex").slice(0, 24);
  const path = join(cacheFolder, `ceremony-${name}.json`);
  if (!existsSync(path)) {
    const { script, style } = await buildScript(
      new URL("../ceremony/ceremony-main.tsx", import.meta.url),
      [],
    );
    const worker = await buildScript(new URL("../ceremony/ceremony-worker.ts", import.meta.url), [], true);
    const javascript = "text/javascript; charset=utf-8";
    const files: CeremonyPageFile[] = [
      { path: "/", type: "text/html; charset=utf-8", content: HTML },
      { path: "/assets/ceremony.js", type: javascript, content: script },
      { path: "/assets/ceremony-worker.js", type: javascript, content: worker.script },
      { path: "/assets/ceremony.css", type: "text/css; charset=utf-8", content: style },
    ];
    mkdirSync(cacheFolder, { recursive: true });
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(files));
    renameSync(draft, path);
  }
  return JSON.parse(readFileSync(path, "utf8")) as CeremonyPageFile[];
}
