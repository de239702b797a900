import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "./compiler/compile.ts";
import {
  AMOUNT_BITS,
  DATA_CHUNK,
  FEE_PER_UNIT_BITS,
  FIELD_ORDER,
  GENESIS_FEE_ACCOUNT_ID,
  GENESIS_NEXT_ID,
  HEADER_ELEMENT_COUNT,
  ID_BITS,
  KIND,
  KIND_RULES,
  kindRule,
  LEAF_KIND,
  MAX_AMOUNT_WEI,
  MAX_LEAF_COUNT,
  NONCE_BITS,
  shapeName,
  TAG,
  TREASURY_ID,
  TREE_ARITY,
  TREE_DEPTH,
  WIDE_WORD_COUNT,
  WITHDRAW_ALL_WEI,
} from "./protocol.ts";
import { PRODUCTION_SHAPE, SAMPLE_SHAPE } from "./testing/sample-shape.ts";

const ledgerPage = readFileSync(`${repositoryRoot}/docs/reference/ledger.md`, "utf8");

/** The rows of the table that starts with this header, as trimmed cells. */
function tableOf(header: string): string[][] {
  const lines = ledgerPage.split("\n");
  const from = lines.findIndex((line) => line.startsWith(header));
  expect(from, `docs/reference/ledger.md has no table "${header}"`).toBeGreaterThan(0);
  const rows = lines.slice(from + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end).map((line) =>
    // A bar inside a cell is written \|.
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

const lowerFirst = (name: string) => name[0]!.toLowerCase() + name.slice(1);

describe("docs/reference/ledger.md", () => {
  const rows = tableOf("| kind | name | A | B | words | effect |");
  const operations = rows;

  it("lists the kinds of protocol.ts, in its order, with their names", () => {
    expect(operations.map(([kind, name]) => [Number(kind), lowerFirst(name!)])).toEqual(
      KIND_RULES.map(({ kind, name }) => [kind, name]),
    );
    for (const { kind, name } of KIND_RULES) expect(KIND[name]).toBe(kind);
  });

  it("gives every kind its number of words", () => {
    const counts = operations.map(([, name, , , words, effect]) => {
      const list = words === "" ? 0 : words!.split(",").length;
      expect(effect, name).toBeDefined();
      return [lowerFirst(name!), list];
    });
    expect(counts).toEqual(KIND_RULES.map(({ name, wordCount }) => [name, wordCount]));
  });

  it("says which leaves a kind uses and what is new", () => {
    for (const [kind, name, a, b] of operations) {
      const rule = kindRule(Number(kind))!;
      expect(a !== "–", `${name} uses A`).toBe(rule.usesA);
      // A deposit's new leaf is not in its entry, so the rule has no B.
      expect(b !== "–", `${name} uses B`).toBe(rule.usesB || rule.kind === KIND.depositNew);
      expect(b === "new", `${name} opens a leaf`).toBe(rule.isCreate || rule.kind === KIND.depositNew);
    }
  });

  it("has no rule for other numbers", () => {
    for (const kind of [29, 31, -1, 32]) expect(kindRule(kind)).toBeUndefined();
  });

  it("says which kinds are narrow, signed and queued", () => {
    expect(ledgerPage).toContain("Narrow slots know kinds 0 to 3");
    expect(KIND_RULES.filter((rule) => rule.isNarrow).map((rule) => rule.kind)).toEqual([0, 1, 2, 3]);
    expect(ledgerPage).toContain(
      "Kinds 1 to 12 and 14 are signed by A's key; kinds 16 and up come from the L1 queue",
    );
    expect(ledgerPage).toContain("Kinds 13 and 15, settlements, are no one's");
    for (const { kind, isSigned, isQueue, isSettlement, weight } of KIND_RULES) {
      expect(isSigned).toBe((kind >= 1 && kind <= 12) || kind === 14);
      expect(isQueue).toBe(kind >= 16);
      expect(isSettlement).toBe(kind === 13 || kind === 15);
      expect(weight > 0).toBe(isSigned);
    }
    expect(WIDE_WORD_COUNT).toBe(Math.max(...KIND_RULES.map(({ wordCount }) => wordCount)));
  });

  it("has the leaf's fields and widths", () => {
    const fields = tableOf("| field | content |");
    expect(fields.map(([field]) => field)).toEqual([
      "kind",
      "nonce",
      "l1Owner",
      "keyX",
      "balance",
      "chain",
      "openAmount",
      "counters",
      "body",
    ]);
    const content = Object.fromEntries(fields.map(([field, text]) => [field!, text!]));
    const kinds = Object.entries(LEAF_KIND).map(([name, kind]) => `${kind} ${name}`);
    expect(content.kind).toContain(kinds.join(", "));
    expect(content.nonce).toBe(`${NONCE_BITS} bits`);
    expect(content.balance).toBe(`${AMOUNT_BITS} bits, wei`);
    expect(content.counters).toContain("ready 1, approved 1, cap 16, payments count 32, epoch 24, price 96");
    expect(ledgerPage).toContain(`eight children a node, depth ${TREE_DEPTH}, ${ID_BITS}-bit ids`);
    expect(TREE_ARITY ** TREE_DEPTH).toBe(MAX_LEAF_COUNT);
    expect(MAX_LEAF_COUNT).toBe(2 ** ID_BITS);
  });

  it("has the genesis, the fee's width and the amount that means everything", () => {
    expect(ledgerPage).toContain(`leaf ${TREASURY_ID} is the treasury`);
    expect(ledgerPage).toContain(`leaf ${GENESIS_FEE_ACCOUNT_ID} the operator's fee\naccount`);
    expect(ledgerPage).toContain(`\`nextId\` = ${GENESIS_NEXT_ID}.`);
    expect(ledgerPage).toContain(`(batch header, ${FEE_PER_UNIT_BITS} bits)`);
    expect(WITHDRAW_ALL_WEI).toBe(2n ** 96n - 1n);
    expect(MAX_AMOUNT_WEI).toBe(WITHDRAW_ALL_WEI);
    expect(ledgerPage).toContain("amountWei = 2^96 − 1 means everything");
  });

  it("has the header's packing, the chunk of C and the wire's header", () => {
    const positions = tableOf("| place | element |");
    const [numbers] = positions.filter(([position]) => position === "3");
    const widths = numbers![1]!.split(", ").map((part) => Number(/(\d+)\s*$/.exec(part.trim())![1]));
    expect(widths).toEqual([40, 40, 40, 25, 25, 24, 16, 16]);
    expect(widths.reduce((a, b) => a + b)).toBeLessThan(253);
    expect(
      positions
        .filter(([position]) => /^[\d, ]+$/.test(position!))
        .flatMap(([position]) => position!.split(",")),
    ).toHaveLength(HEADER_ELEMENT_COUNT);
    expect(ledgerPage).toContain(`for every chunk of ${DATA_CHUNK}`);
    const wire = tableOf("| bytes | content |");
    const header = wire.slice(0, 7).flatMap(([bytes]) => bytes!.split(",").map(Number));
    expect(header).toEqual([32, 5, 4, 3, 8, 2, 2, 2, 2, 2, 1]);
    expect(wire.slice(7).map(([bytes]) => Number.parseInt(bytes!, 10))).toEqual([23, 12, 32]);
  });
});

describe("contracts", () => {
  const folder = `${repositoryRoot}/contracts/rollup`;
  const files = readdirSync(folder).filter((name) => name.endsWith(".sol"));
  const source = files.map((name) => readFileSync(`${folder}/${name}`, "utf8")).join("\n");

  it("counts the words of every kind as protocol.ts does, and refuses unknown ones", () => {
    const constant = /WORD_COUNTS = (0x[0-9a-f_]+);/.exec(source)![1]!;
    const packed = BigInt(constant.replaceAll("_", ""));
    for (let kind = 0; kind < 32; kind++) {
      const count = Number((packed >> BigInt(4 * kind)) & 15n);
      expect(count, `kind ${kind}`).toBe(kindRule(kind)?.wordCount ?? 15);
    }
  });

  it("has the same kinds and limits", () => {
    const names = {
      withdraw: KIND.withdraw,
      createAccount: KIND.createAccount,
      createModel: KIND.createModel,
    };
    const queue = Object.fromEntries(
      KIND_RULES.filter((rule) => rule.isQueue).map(({ name, kind }) => [name, kind]),
    );
    for (const [name, kind] of Object.entries({ ...names, ...queue })) {
      const constant = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
      expect(source.includes(`constant ${constant} = ${kind};`), constant).toBe(true);
    }
    for (const [constant, value] of [
      ["MAX_LEAF_COUNT", `2 ** ${ID_BITS}`],
      ["GENESIS_NEXT_ID", GENESIS_NEXT_ID],
      ["HEADER_ELEMENT_COUNT", HEADER_ELEMENT_COUNT],
      ["WIRE_HEADER_SIZE", 63],
    ]) {
      expect(source.includes(`${constant} = ${value};`), `${constant}`).toBe(true);
    }
  });
});

describe("protocol.ts", () => {
  it("has tags that differ from each other, from EdDSA's and from every leaf's", () => {
    const { leaf, ...others } = TAG;
    const all = [
      0n,
      ...Object.values(others),
      ...Object.values(LEAF_KIND).map((kind) => leaf + BigInt(kind)),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("has even narrow sections in shapes that L1's eight bits can count", () => {
    for (const shape of [PRODUCTION_SHAPE, SAMPLE_SHAPE]) {
      expect(shape.narrow % 2).toBe(0);
      expect(shape.narrow / 2).toBeLessThan(256);
      expect(shape.wide).toBeGreaterThan(0);
      expect(shape.wide).toBeLessThan(256);
    }
  });

  it("names a shape by all its sizes", () => {
    expect(shapeName(SAMPLE_SHAPE)).toBe("table-10-6-5-20-6-1-2");
    const { table, ...slots } = SAMPLE_SHAPE;
    expect(shapeName({ ...slots, table: { ...table, isBlob: true } })).toBe("table-10-6-5-20-6-1-2-blob");
  });

  it("keeps a message's core and B's reference below r", () => {
    const coreBits = 5 + 24 + 24 + 40 + NONCE_BITS + FEE_PER_UNIT_BITS + 1;
    expect(2n ** BigInt(coreBits) < FIELD_ORDER).toBe(true);
    expect(2n ** 162n < FIELD_ORDER).toBe(true);
  });
});
