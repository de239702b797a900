/**
 * Builds the exit page as one file, which works from a disk with nothing but an Ethereum node: script, style, typeface, proving keys
 * and workers are in it. Scripts of modules and further files do not load from file:, so it has one classic script, and its
 * policy names that script by its hash.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { PackedFile, WorkerFile } from "./exit-files.ts";

export const SINGLE_FILE_NAME = "openledger-exit.html";

const sha256 = (text: string, encoding: "base64" | "hex") =>
  createHash("sha256").update(text, "utf8").digest(encoding);

/**
 * Content security policy of the page. It may ask any Ethereum node that its reader names, and load nothing else from
 * anywhere. `blob:` are its own workers.
 */
function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script, "base64")}' 'wasm-unsafe-eval'`,
    `style-src 'sha256-${sha256(style, "base64")}'`,
    "img-src data:",
    "font-src data:",
    "worker-src blob:",
    "connect-src http: https:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/**
 * Escapes an end tag of script and the beginning of a comment: within a script element they would end it or change how
 * it is read.
 */
const inScript = (code: string) => code.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "\\x3C!--");

export function singleFileHtml(parts: {
  readonly script: string;
  readonly style: string;
  readonly workers: readonly WorkerFile[];
  readonly files: readonly PackedFile[];
}): string {
  const script = inScript(parts.script);
  const block = (id: string, bytes: Buffer) =>
    `<script type="application/octet-stream" id="${id}">${bytes.toString("base64")}</script>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, parts.style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>OpenLedger: leave without the operator</title>
<style>${parts.style}</style>
</head>
<body>
<div id="page"></div>
<noscript>This page rebuilds the ledger and makes proofs itself. It needs JavaScript.</noscript>
${parts.files.map(({ name, bytes }) => block(name, bytes)).join("\n")}
${parts.workers.map(({ name, script: worker }) => block(name, gzipSync(worker, { level: 9 }))).join("\n")}
<script>${script}</script>
</body>
</html>
`;
}

export const singleFileFacts = (html: string) => ({
  sha256: sha256(html, "hex"),
  byteCount: Buffer.byteLength(html),
});
