#!/usr/bin/env bash
# Packages: unpdf 1.7.0 (PDF.js inside), @sparticuz/chromium 143.0.4 (Chromium 143), playwright-core 1.65.1.
# Guess: a library that is imported in a Web Worker leaves the worker's messages to its owner.
# Behaviour: PDF.js takes any worker that it is loaded in for its own. At the first use it sends a message "ready" to the page, which the owner's handler
# receives before the answer; a page that takes the first message for its answer has the wrong one.
# Seen: [{"sourceName":"worker","targetName":"main","action":"ready","data":null},{"answer":"A clause"}]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund unpdf@1.7.0 @sparticuz/chromium@143.0.4 playwright-core@1.65.1
cat > show.mjs <<'JS'
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const stream = "BT /F1 12 Tf 20 200 Td (A clause) Tj ET";
const objects = [
  "<< /Type /Catalog /Pages 2 0 R >>",
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
  `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
];
let pdf = "%PDF-1.4\n";
const places = objects.map((object, i) => {
  const place = pdf.length;
  pdf += `${i + 1} 0 obj\n${object}\nendobj\n`;
  return `${String(place).padStart(10, "0")} 00000 n \n`;
});
const start = pdf.length;
pdf += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join("")}`;
pdf += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
const worker = `
  import { extractText } from "/unpdf/index.mjs";
  const { text } = await extractText(Uint8Array.from(${JSON.stringify([...Buffer.from(pdf)])}), { mergePages: true });
  postMessage({ answer: text });
`;
const server = createServer(async ({ url }, response) => {
  response.setHeader("content-type", url === "/" ? "text/html" : "text/javascript");
  if (url === "/") response.end("<p>page");
  else if (url === "/worker.mjs") response.end(worker);
  else if (url.startsWith("/unpdf/")) {
    const code = await readFile(`node_modules/unpdf/dist/${url.slice("/unpdf/".length)}`, "utf8");
    // The one name of a package, as a bundler resolves it.
    response.end(code.replaceAll("unpdf/pdfjs", "/unpdf/pdfjs.mjs"));
  } else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const executablePath = await sparticuz.executablePath();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=shell", "--disable-gpu"] });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const messages = await page.evaluate(
  () =>
    new Promise((resolve, reject) => {
      const messages = [];
      const worker = new Worker("/worker.mjs", { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => {
        messages.push(data);
        if (data.answer !== undefined) resolve(messages);
      };
    }),
);
console.log(JSON.stringify(messages));
await browser.close();
server.close();
JS
seen=$(node show.mjs)
echo "$seen"
expected='[{"sourceName":"worker","targetName":"main","action":"ready","data":null},{"answer":"A clause"}]'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
