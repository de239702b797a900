import { expect, test } from "vitest";
import { publicChainName } from "./deploy-keys.ts";

test("knows public chains, which take no rehearsal's keys, from local ones", async () => {
  const names = await Promise.all([1, 11_155_111, 8453, 31_337, 1337, 20_261_126].map(publicChainName));
  expect(names).toEqual(["Ethereum", "Sepolia", "Base", null, null, null]);
});
