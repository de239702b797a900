import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { powersOfTau } from "snarkjs";
import { expect, test } from "vitest";
import { writeDrillPowers } from "./drill-powers.ts";

/** Content by section. */
function sectionsOf(path: string): Map<number, string> {
  const bytes = readFileSync(path);
  const sections = new Map<number, string>();
  for (let at = 12; at < bytes.length; ) {
    const end = at + 12 + Number(bytes.readBigUInt64LE(at + 4));
    sections.set(bytes.readUInt32LE(at), bytes.subarray(at + 12, end).toString("hex"));
    at = end;
  }
  return sections;
}

test("a drill's powers of tau are those that snarkjs prepares from the same τ", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drill-powers-"));
  try {
    const [own, prepared] = [join(folder, "own"), join(folder, "prepared")];
    await writeDrillPowers(own, 3);
    await powersOfTau.preparePhase2(own, prepared);
    expect(sectionsOf(own)).toEqual(sectionsOf(prepared));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
