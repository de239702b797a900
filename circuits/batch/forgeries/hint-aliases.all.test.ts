/**
 * Hints (`<--`) of a wide and a narrow slot, in a lawful witness of every kind: none of them may become a field element
 * that a shifted or packed check would mistake for what it is.
 */
import { beforeAll, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { fieldAliases } from "../../testing/field-aliases.ts";
import { inputsFor, loadForgeryTesters, testerOf } from "../../testing/forgery-check.ts";
import { HONEST, honest, nameOf, sectionsOf, World } from "../../testing/forgery-world.ts";

await initPoseidon();
beforeAll(loadForgeryTesters);

// Of IsEqual, inverse is free where the operands are equal, and nothing else reads it.
const HINTS = /\.(bit\[\d+\]|digit\[\d+\]|slope\w*(\[\d+\])?|isEven|out|u|v|x\[\d+\])$/;
const CHANGES = fieldAliases(3, [64, 96]);

it.each(Object.keys(HONEST).map((kind) => [nameOf(Number(kind)), Number(kind)] as const))(
  "of %s",
  async (_name, kind) => {
    for (const section of sectionsOf(kind)) {
      const tester = testerOf(section);
      const witness = await tester.calculateWitness(inputsFor(new World(), section, honest(kind)));
      const slot = section === "wide" ? "main.w[0]." : "main.n[0].";
      const only = (signal: string) => signal.startsWith(slot) && HINTS.test(signal);
      expect(tester.tamper(witness, { only, changes: CHANGES })).toEqual([]);
    }
  },
);
