/** Tests of the client library's docstrings: every action has an example that compiles, and names its errors. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Action, compileSnippets, readActions, readErrorTypes } from "./testing/action-docs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const actions = readActions(root).filter(({ isInternal }) => !isInternal);
const types = readErrorTypes(root);
const typeName = ({ name }: Action) => `${name[0]!.toUpperCase()}${name.slice(1)}ErrorCode`;

describe("every action of client/", () => {
  it("has an example", () => {
    expect(actions.length).toBeGreaterThan(50);
    expect(actions.filter(({ example }) => example === null).map(({ name }) => name)).toEqual([]);
  });

  it("has an example that compiles, and that calls it", async () => {
    for (const { example, name } of actions) expect(example, name).toContain(`${name}(`);
    const snippets = new Map(actions.map(({ example, name }) => [name, example!]));
    // The pages' own examples; what they import from client/ is imported as for all.
    const pages = ["README.md", "docs/reference/client.md"].map((page) =>
      readFileSync(`${root}/${page}`, "utf8"),
    );
    const shown = pages.flatMap((page) =>
      [...page.matchAll(/```ts\n([\s\S]*?)\n```/g)].map(([, code]) => code!),
    );
    for (const [i, code] of shown.entries()) {
      const body = code.replace(/^import .*\n/gm, "");
      snippets.set(`page${i}`, `const { privateKeyToAccount } = await import("viem/accounts");\n${body}`);
    }
    // Faults that must be found: an option that is not there, a wrong type, a name that nobody exports.
    snippets.set("wrongOption", "await transfer(client, { to: 7, amountWei: 1n, memo: 3 });");
    snippets.set("wrongType", "await closeEpoch(client, { modelId: 11n });");
    snippets.set("wrongName", "await steal(client);");
    const faults = await compileSnippets(root, snippets);
    expect(faults).toEqual([
      expect.stringMatching(/^wrongOption: .*memo/),
      expect.stringMatching(/^wrongType: .*bigint/),
      expect.stringMatching(/^wrongName: .*steal/),
    ]);
  });

  it("has its errors as an exported type, which has all that its docstring names", () => {
    for (const action of actions) {
      const literals = types.get(typeName(action));
      if (literals === undefined) expect([action.name, action.thrown]).toEqual([action.name, []]);
      for (const code of action.thrown) {
        // A code that ends in "_" stands for all that begin so, in a docstring ("OP_…") as in a type.
        const isNamed = literals!.some(
          (one) => one.startsWith(code) || (one.endsWith("_") && code.startsWith(one)),
        );
        expect(isNamed, `${code} in ${typeName(action)}`).toBe(true);
      }
    }
  });

  it("names only codes of docs/reference/errors.md in its error type", () => {
    const documented = new Set(
      [...readFileSync(`${root}/docs/reference/errors.md`, "utf8").matchAll(/<\/a>`([A-Z0-9_]+)`/g)].map(
        ([, code]) => code!,
      ),
    );
    for (const [name, literals] of types) {
      // ClientErrorCode is made from the table itself.
      expect(literals.length > 0, name).toBe(name !== "ClientErrorCode");
      for (const code of literals) {
        const isThere = [...documented].some((one) =>
          code.endsWith("_") ? one.startsWith(code) : one === code,
        );
        expect(isThere, `${code} of ${name}`).toBe(true);
      }
    }
  });
});
