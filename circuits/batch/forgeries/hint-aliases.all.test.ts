/**
 * Hints (`<--`) of a wide slot and of the table, in a lawful witness of every kind: none of them may become a field element
 * that a shifted or packed check would mistake for what it is.
 */
import { beforeAll, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { fieldAliases } from "../../testing/forgeries/field-aliases.ts";
import { inputsFor, loadForgeryTester, tester } from "../../testing/forgeries/forgery-check.ts";
import { HONEST, honest, nameOf, sectionsOf, World } from "../../testing/forgeries/forgery-world.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

// The inverse of IsEqual is free if the operands are equal, and nothing else reads it.
// The table's terms are free too: a weight over a value that is not 0.
const HINTS =
  /\.(bit\[\d+\]|digit\[\d+\]|slope\w*(\[\d+\])?|highBit\[\d+\]|signedV\[\d+\]|out|u|v|x\[\d+\]|taken|given|debit|credit|count6?|moved|member|reference)$/;
const CHANGES = fieldAliases(3, [64, 96]);

it.each(Object.keys(HONEST).map((kind) => [nameOf(Number(kind)), Number(kind)] as const))(
  "of %s",
  async (_name, kind) => {
    for (const section of sectionsOf(kind)) {
      const witness = await tester.calculateWitness(inputsFor(new World(), section, honest(kind)));
      const part = section === "wide" ? /^main\.w\[0\]\./ : /^main\.[tmru]\[\d\]\./;
      const only = (signal: string) => part.test(signal) && HINTS.test(signal);
      expect(tester.tamper(witness, { only, changes: CHANGES })).toEqual([]);
    }
  },
);
