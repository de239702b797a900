import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { powersOfTau } from "snarkjs";
import { expect, test } from "vitest";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { contributeToPowers } from "./contribute-powers.ts";
import { preparePowers } from "./prepare-powers.ts";

const folder = await scratchFolder();
const at = (name: string) => join(folder, name);

test("powers of tau are what snarkjs verifies, and prepares to the same bytes", async () => {
  await contributeToPowers(3, at("one"), "Ada");
  await powersOfTau.contribute(at("one"), at("two"), "snarkjs", "any entropy");
  await contributeToPowers(at("two"), at("three"), "Ben");
  const steps: number[] = [];
  await preparePowers(at("three"), at("own"), (done, total) => steps.push(done / total));
  await powersOfTau.preparePhase2(at("three"), at("theirs"));
  expect((await readFile(at("own"))).equals(await readFile(at("theirs")))).toBe(true);
  expect(steps.at(-1)).toBe(1);
  expect(await powersOfTau.verify(at("own"))).toBe(true);
});

test("a file that is none, or is cut off, is refused", async () => {
  const bytes = await readFile(at("one"));
  await writeFile(at("cut"), bytes.subarray(0, bytes.length - 900));
  for (const name of ["nowhere", "cut"])
    await expect(preparePowers(at(name), at("never"), () => {})).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
    });
});
