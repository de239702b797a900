import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { powersOfTau } from "snarkjs";
import { expect, test } from "vitest";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { contributeToPowers } from "./contribute-powers.ts";
import { preparePowers } from "./prepare-powers.ts";

const folder = await scratchFolder();
const at = (name: string) => join(folder, name);
const quiet = () => {};

test("powers of tau are what snarkjs verifies, and prepares to the same bytes", async () => {
  await contributeToPowers(4, at("one"), "Ada");
  await contributeToPowers(at("one"), at("two"), "Ben");
  await powersOfTau.contribute(at("two"), at("three"), "snarkjs", "any entropy");
  const steps: number[] = [];
  await preparePowers(at("three"), at("own"), (done, total) => steps.push(done / total));
  await powersOfTau.preparePhase2(at("three"), at("theirs"));
  expect((await readFile(at("own"))).equals(await readFile(at("theirs")))).toBe(true);
  expect(steps.at(-1)).toBe(1);
  expect(await powersOfTau.verify(at("own"))).toBe(true);
});

test("powers to which nobody contributed are not prepared", async () => {
  await expect(preparePowers(at("nowhere"), at("never"), quiet)).rejects.toMatchObject({
    code: "PRV_PTAU_INVALID",
  });
});
