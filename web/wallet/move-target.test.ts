/** Tests of the code that takes a new wallet from one browser to another. */
import { expect, it } from "vitest";
import { codeOf, readCode } from "./move-target.ts";

const target = { address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", keyX: 7n } as const;

it("takes a code that was copied whole, and no other text", () => {
  expect(readCode(`  ${codeOf(target)}\n`)).toEqual(target);
  const code = codeOf(target);
  const wrong = [
    "",
    code.slice(0, -1),
    code.slice(1),
    `${code}-0x00`,
    code.replace("f39Fd6", "f39fd6"),
    target.address,
  ];
  for (const text of wrong) expect(readCode(text), text).toBeNull();
});
