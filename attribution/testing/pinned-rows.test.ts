import { existsSync, rmSync, writeFileSync } from "node:fs";
import { archiveFolder } from "@openledger/foundation/archives/package-archive";
import { expect, test } from "vitest";
import { hashContents } from "../rows/labelled-rows.ts";
import { pinnedRows } from "./pinned-rows.ts";

test("pinned rows are made once, again where their file is damaged, and refused where they are others", () => {
  const rows = [`${Date.now()}`, "", "é"].map((text) => new TextEncoder().encode(text));
  const hash = hashContents(rows);
  const path = `${archiveFolder}/${hash}.rows`;
  let madeCount = 0;
  const read = (made = rows) =>
    pinnedRows({
      name: "made@1.0.0",
      hash,
      make: () => {
        madeCount += 1;
        return made;
      },
    });
  try {
    expect(() => read(rows.slice(1))).toThrow(expect.objectContaining({ code: "ATT_ROWS_MISMATCH" }));
    expect(existsSync(path)).toBe(false);
    expect([read(), read(), madeCount]).toEqual([rows, rows, 2]);
    writeFileSync(path, "damaged");
    expect([read(), read(), madeCount]).toEqual([rows, rows, 3]);
  } finally {
    rmSync(path, { force: true });
  }
});
