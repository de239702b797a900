import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineErrors } from "@openledger/foundation/error-table";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { describe, expect, it } from "vitest";
import { ERRORS_JSON, ERRORS_PAGE, errorCodes, renderErrors, renderErrorsJson } from "./errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const CODE = /\b(?:SRV|OP|ATT|DNT|MOD|CIR|SEQ|PRV|BRG|CON|CLI|CMD|DEV|DRL)_[A-Z][A-Z0-9_]*[A-Z0-9]\b/g;

/** Codes that stand in the tree as a string, with the files. */
function codesInTree(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const path of listedFiles()) {
    if (/(^|\/)(build|testing)\/|\.test\.tsx?$/.test(path) || !/\.(tsx?|js|cpp|h)$/.test(path)) continue;
    const quoted = new RegExp(`(["'\`])(${CODE.source})\\1`, "g");
    for (const [, , code] of readFileSync(join(root, path), "utf8").matchAll(quoted)) codes.set(code!, path);
    // The two prefixes of tables are no codes.
    for (const prefix of ["MOD_SERVE", "MOD_FACTORY"]) codes.delete(prefix);
  }
  return codes;
}

describe("error codes", () => {
  it("stand in docs as the tables have them", () => {
    expect(readFileSync(ERRORS_PAGE, "utf8")).toBe(renderErrors());
    expect(readFileSync(ERRORS_JSON, "utf8")).toBe(renderErrorsJson());
  });

  it("are each in one table, and none of the tree is in none", () => {
    const codes = errorCodes();
    expect(codes).toEqual([...new Set(codes)]);
    for (const code of codes) expect(renderErrors()).toContain(`</a>\`${code}\` `);
    expect([...codesInTree()].filter(([code]) => !codes.includes(code))).toEqual([]);
  });

  it("give their errors the status and the retryability of their row, and know those of every process", () => {
    const table = defineErrors("ANY", {
      ANY_BUSY: { meaning: "busy", remedy: "wait", httpStatus: 503, isRetryable: true },
      ANY_WRONG: { meaning: "wrong", remedy: "correct it" },
    });
    expect(table.raise("ANY_BUSY", "no")).toMatchObject({
      code: "ANY_BUSY",
      message: "no",
      isRetryable: true,
    });
    expect(table.raise("ANY_WRONG", "no", { data: { at: 1 } })).toMatchObject({
      isRetryable: false,
      data: { at: 1 },
    });
    expect(table.raise("SRV_RATE_LIMITED", "no").isRetryable).toBe(true);
    const codes = ["ANY_BUSY", "ANY_WRONG", "SRV_RATE_LIMITED", "toString", "OP_MALFORMED"];
    expect(codes.map((code) => table.statusOf(code))).toEqual([503, 500, 429, undefined, undefined]);
  });
});
