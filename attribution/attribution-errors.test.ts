import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attributionError, attributionErrors, attributionHttpStatus } from "./attribution-errors.ts";

describe("docs/errors.md", () => {
  it("says of every code of attribution/ what the table says", () => {
    const documentation = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");
    for (const [code, { meaning, remedy }] of Object.entries(attributionErrors)) {
      expect(documentation).toContain(
        `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${attributionHttpStatus(code)} | ${meaning} | ${remedy} |`,
      );
    }
  });
});

describe("attributionError", () => {
  it("is worth a retry where the table says so", () => {
    expect(attributionError("ATT_SERVER_UNREACHABLE", "no").isRetryable).toBe(true);
    expect(attributionError("ATT_ANSWER_UNPAID", "no").isRetryable).toBe(false);
    expect(attributionHttpStatus("OP_UNKNOWN")).toBe(500);
  });
});
