import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { keepFigures, keptFigures } from "./figures.ts";

const folder = mkdtempSync(join(tmpdir(), "kept-figures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("figures come back with their date; where there are none, the command that makes them is named", () => {
  const lines: string[] = [];
  const read = () => keptFigures("table-proofs", (line) => lines.push(line), folder);
  expect(read()).toBeNull();
  keepFigures("table-proofs", { timesAsMany: 3 }, folder);
  expect(read()).toEqual({ timesAsMany: 3 });
  expect(lines[0]).toContain("npm run bench -- table --domain 20");
  expect(lines[1]).toMatch(/as measured on \d{4}-/);
});
