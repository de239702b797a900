/** The largest claim that L1 takes, and the gas and bytes of what refutes it: nodes pass on 128 KiB, a transaction has 2^24 gas. */

import { hashTagged } from "@openledger/circuits/field/poseidon";
import { DATA_CHUNK, TAG } from "@openledger/circuits/protocol";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { MOST_CLAIM_BYTES, TRANSACTION_BYTES } from "@openledger/models/registered/text-tokens";
import { JOINING, type SpelledToken } from "@openledger/models/tokens/token-spelling";
import {
  concat,
  decodeFunctionData,
  encodeAbiParameters,
  type Hex,
  keccak256,
  parseAbiParameters,
  size,
  toHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { claimReceiptCall, type TracedTuple } from "../games/claims/ledger-claims.ts";
import {
  MOST_TOKEN_BYTES,
  packLengths,
  vocabularyFault,
  vocabularyLeaf,
} from "../games/claims/prompt-vocabulary.ts";
import {
  claimOf,
  type DescribedModel,
  type TracedQuery,
  type TraceStatement,
  traceQuery,
} from "../games/claims/traced-model.ts";
import { MODEL_ID, startLedgerTraces, tinyLedger } from "../games/testing/ledger-fixture.ts";
import { BOND_WEI, gameCall, HOUR_SECONDS, STAKE_WEI, tinyTraced } from "../games/testing/trace-fixture.ts";
import { leafTree } from "../statements/leaf-tree.ts";
import { wordBytes } from "../trace/word-tree.ts";

/** Three quarters of 2^24. */
const MOST_GAS = 12_582_912;
const PROMPT_TOKENS = 4_090;
const INPUTS = 64;
const DRAWS = 64;
/** Of a text: TraceGame.sol. */
const MOST_TOKENS = 4_096;
/** Any tokens behind the prompt's, as many as there may be. */
const answeredBehind = (promptTokens: number) =>
  Array.from({ length: MOST_TOKENS - promptTokens }, (_, i) => 100_000 + i);
const ANSWERED = answeredBehind(PROMPT_TOKENS);
const sayingOf = (tokens: readonly number[]) => JSON.stringify({ text: "So.", tokens });

/** The last leaves of a vocabulary of 2^20 tokens: to the left of them there is anything. */
const VOCABULARY = 2 ** 20;
const KNOWN = 64;
const LEFT = Array<Hex>(Math.log2(VOCABULARY / KNOWN)).fill(zeroHash);
const LETTERS = VOCABULARY - 1;
const CUT = VOCABULARY - 2;
const JOINED = VOCABULARY - 3;
const NUMBERS = VOCABULARY - 32;
const BLANKS = VOCABULARY - 33;
const WIDE = VOCABULARY - 34;
/** One of four bytes, whose class is looked up: the dearest. */
const NUMBER = new TextEncoder().encode("\u{1d7cf}");
/** Tokens by rules, each with the one before it at its end: of the left neighbour at the right end, of the right one at the left. */
const ENDS = { left: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], right: [24, 25, 26, 27, 28, 29, 30, 31] };
const tokenOf = (k: number) => VOCABULARY - k;

type Made = { readonly [Part in keyof SpelledToken]: SpelledToken[Part] };
function madeTokens(): Map<number, Made> {
  const letters = (count: number) => new Uint8Array(count).fill(0x61);
  const made = new Map<number, Made>([[LETTERS, { bytes: letters(24), rule: null }]]);
  const cut = letters(MOST_TOKEN_BYTES);
  cut[MOST_TOKEN_BYTES - 1] = 0x3f;
  made.set(CUT, { bytes: cut, rule: { rank: 9, left: LETTERS, right: LETTERS } });
  const numbers = Buffer.alloc(MOST_TOKEN_BYTES - NUMBER.length + 1, NUMBER);
  numbers[numbers.length - 1] = 0x3f;
  made.set(NUMBERS, { bytes: numbers, rule: { rank: 8, left: LETTERS, right: LETTERS } });
  // A run of numbers of which two borders are sure, one of no class, blanks of two bytes, and a line end before more blanks.
  const [unsure, blank] = [Buffer.from("\u0378"), Buffer.from("\u00a0")];
  const head = [...Array(2).fill(NUMBER), unsure, Buffer.from("\n")];
  const tail = Buffer.from("\n\u00a0");
  const room = MOST_TOKEN_BYTES - Buffer.concat(head).length - tail.length;
  const blanks = Buffer.concat([...head, Buffer.alloc(room - (room % 2), blank), tail]);
  made.set(WIDE, { bytes: Buffer.alloc(255, Buffer.from("\u3000")), rule: null });
  made.set(BLANKS, { bytes: blanks, rule: { rank: 7, left: LETTERS, right: LETTERS } });
  for (const [end, all] of Object.entries(ENDS))
    for (const [i, k] of all.entries()) {
      const below = i === 0 ? LETTERS : tokenOf(all[i - 1]!);
      const rule = {
        rank: 100 + k,
        left: LETTERS,
        right: LETTERS,
        [end === "left" ? "right" : "left"]: below,
      };
      made.set(tokenOf(k), { bytes: letters(100 + i), rule });
    }
  made.set(JOINED, { bytes: letters(MOST_TOKEN_BYTES), rule: { rank: 1, left: LETTERS, right: LETTERS } });
  return made;
}

const tokens = madeTokens();
const tree = leafTree(
  Array.from({ length: KNOWN }, (_, i) =>
    vocabularyLeaf(tokens.get(VOCABULARY - KNOWN + i) ?? tokens.get(LETTERS)!),
  ),
);
/** Over a tree's last leaf. */
const rootBehind = (leaf: Hex, path: readonly Hex[]): Hex =>
  path.reduce((node, left) => keccak256(concat([left, node])), leaf);
const root = rootBehind(toHex(tree.root), LEFT);
const entry = (token: number) => ({
  token: BigInt(token),
  data: toHex(vocabularyLeaf(tokens.get(token)!)),
  path: [...tree.path(token - VOCABULARY + KNOWN).map((node) => toHex(node)), ...LEFT],
});

const f = started(() => startLedgerTraces());
let model: DescribedModel;
let terms: TracedTuple;
let query: TracedQuery;
let registration: Hex;

/** A model with a program for the longest text, and as many inputs as there may be. */
const modelWith = (changed: Partial<TracedTuple>, draws = DRAWS) =>
  tinyLedger(
    f,
    { mostTokens: ANSWERED.length },
    {
      draws,
      describe: (of) => ({
        ...of,
        inputRoots: Array.from({ length: INPUTS }, (_, i) => keccak256(toHex(i))),
      }),
      terms: (own, of) => {
        const { path: _, ...programs } = asLongest(claimOf(of, query).statement);
        const spelled = { vocabulary: root, vocabularySize: VOCABULARY, joining: JOINING.gpt2Marked };
        return { ...own, ...spelled, ...programs, ...changed };
      },
    },
  );

beforeAll(async () => {
  const any = await tinyTraced();
  query = traceQuery(any.model, { tokens: [10, 12, 15, 9], promptCount: 2 }, any.kernels);
  ({ model, registration, traced: terms } = await modelWith({}));
  await f.send(f.stranger, registration);
}, 60_000);

/** Its program as the last of all: its neighbours are left of it, and their roots anything. */
function asLongest({ opCount, program }: TraceStatement) {
  const path = Array<Hex>(Math.log2(MOST_TOKENS)).fill(zeroHash);
  const leaf = keccak256(encodeAbiParameters(parseAbiParameters("uint256, bytes32"), [opCount, program]));
  return { path, programs: rootBehind(leaf, path), programCount: BigInt(MOST_TOKENS) };
}

/** A claim of a prompt whose last tokens are these, with so many bytes together. @param before ends what stands before them */
function claimOfSize(
  bytes: number,
  last: readonly number[],
  salt = 0n,
  before = new Uint8Array(),
  [of, own] = [model, terms],
  { answered = ANSWERED, answer = sayingOf(answered) } = {},
) {
  const promptTokens = MOST_TOKENS - answered.length;
  const prompt = [...Array<number>(promptTokens - last.length).fill(LETTERS), ...last];
  const words = wordBytes([...prompt, ...answered]);
  let left = bytes - words.length - 2 * promptTokens - answer.length - query.query.length;
  const ends = last.map((token) => tokens.get(token)!.bytes);
  left -= ends.reduce((sum, { length }) => sum + length, 0);
  const count = prompt.length - last.length;
  const lengths = [
    ...Array.from({ length: count }, (_, i) => Math.floor(left / count) + (i < left % count ? 1 : 0)),
    ...ends.map(({ length }) => length),
  ];
  const text = Buffer.concat([Buffer.alloc(left - before.length, 0x61), before, ...ends]);
  const statement: TraceStatement = {
    ...{ ...claimOf(of, query).statement, programs: own.programs, programCount: own.programCount },
    ...{ tokens: toHex(words), promptCount: BigInt(promptTokens) },
  };
  const receipt = { payerId: 7, salt, prompt: text.toString(), answer, lengths };
  const { args } = decodeFunctionData({
    abi: traceGameAbi,
    data: claimReceiptCall(of, own, query, receipt),
  });
  const changed = [statement, asLongest(statement).path, ...args!.slice(2)];
  const data = gameCall("claimReceipt", changed);
  return { data, shown: [statement, own, toHex(text), packLengths(lengths)] as const };
}

/** Sends it, and holds it to what nodes and blocks take. */
async function sendWithin(who: Hex, data: Hex, valueWei = 0n): Promise<number> {
  // Besides the call a transaction has some 200 bytes.
  expect(size(data)).toBeLessThanOrEqual(TRANSACTION_BYTES - 200);
  const gas = await f.send(who, data, valueWei);
  expect(gas).toBeLessThanOrEqual(MOST_GAS);
  return gas;
}

describe("the largest claim", () => {
  const ENTRIES = (ks: readonly number[]) => ks.toReversed().map((k) => entry(tokenOf(k)));
  // Such a token's first border is sure, and takes the most to be; none of the others within the run is.
  const RUN = Buffer.concat([Uint8Array.of(0x61), Buffer.alloc(255 * NUMBER.length, NUMBER)]);
  const NUMBERED = { before: RUN, joining: JOINING.llama3 };
  const lies: readonly {
    readonly what: string;
    readonly last: readonly number[];
    readonly before?: Uint8Array<ArrayBuffer>;
    readonly joining?: number;
    readonly shown: () => readonly unknown[];
    readonly by?: string;
  }[] = [
    { what: "a token, in a transaction that nodes pass on", last: [CUT], shown: () => [entry(CUT)] },
    {
      what: "two neighbours with the longest chains of rules that a vocabulary may have",
      last: [tokenOf(ENDS.left.at(-1)!), tokenOf(ENDS.right.at(-1)!)],
      shown: () => [entry(JOINED), ENTRIES(ENDS.left), ENTRIES(ENDS.right)],
      by: "challengeJoin",
    },
    {
      what: "a token of numbers, behind more of them than are looked through",
      ...{ ...NUMBERED, last: [NUMBERS], shown: () => [entry(NUMBERS)] },
    },
    {
      what: "a token of numbers and blanks, with as many of both around it as are looked through",
      ...{ ...NUMBERED, last: [BLANKS, WIDE, WIDE, WIDE, LETTERS], shown: () => [entry(BLANKS)] },
    },
  ];

  test.each(lies)(
    "is refuted by $what",
    async ({ before, by = "challengeSpelling", joining, last, shown, what }) => {
      const of = joining === undefined ? { model, traced: terms } : await modelWith({ joining });
      if ("registration" in of) await f.send(f.stranger, of.registration);
      const salt = BigInt(lies.findIndex((one) => one.what === what));
      const { data, shown: claim } = claimOfSize(MOST_CLAIM_BYTES, last, salt, before, [of.model, of.traced]);
      const claimed = await sendWithin(f.owner, data, BOND_WEI);
      const claimId = await f.read<bigint>("claimCount");
      const args = [claimId, ...claim, BigInt(PROMPT_TOKENS - last.length), ...shown()];
      const refute = gameCall(by, args);
      const gas = await sendWithin(f.watcher, refute);
      expect(await f.isRefuted(claimId)).toBe(true);
      console.log({ what, claimBytes: size(data), claimed, refutationBytes: size(refute), refutation: gas });
    },
  );

  test("has one byte less than what L1 refuses", async () => {
    const { data } = claimOfSize(MOST_CLAIM_BYTES + 1, [CUT], 99n);
    expect(await f.refusal(f.owner, data, BOND_WEI)).toBe("LedgerTracesClaimInvalid");
  });
});

test("an answer of as many tokens as a claim may have is compared within a transaction's gas", async () => {
  const answered = answeredBehind(2);
  const { model, registration, traced } = await modelWith({ mostTokens: answered.length });
  await f.send(f.stranger, registration);
  const claiming = (tokens: readonly number[]) => {
    const said = { answered, answer: sayingOf(tokens) };
    const bytes = 4 * MOST_TOKENS + said.answer.length + 200;
    return claimOfSize(bytes, [LETTERS], 0n, new Uint8Array(), [model, traced], said).data;
  };
  const other = claiming(answered.with(7, 8));
  expect(await f.refusal(f.owner, other, BOND_WEI)).toBe("LedgerTracesClaimInvalid");
  await sendWithin(f.owner, claiming(answered), BOND_WEI);
});

describe("a vocabulary", () => {
  const sized = (count: number, own: Iterable<[number, SpelledToken]> = []) => {
    const none: SpelledToken = { bytes: new Uint8Array(1), rule: null };
    const all = Array<SpelledToken>(count).fill(none);
    for (const [token, made] of own) all[token] = made;
    return vocabularyFault({ tokens: all, joining: JOINING.gpt2Marked });
  };
  test("of which all can be shown is taken, and no other", () => {
    expect(sized(VOCABULARY, tokens)).toBeNull();
    expect(sized(VOCABULARY + 1)).toContain("tokens");
    expect(sized(8, [[3, { bytes: new Uint8Array(MOST_TOKEN_BYTES + 1), rule: null }]])).toContain(
      "spells 257",
    );
    const chain = Array.from({ length: 40 }, (_, i): [number, SpelledToken] => [
      VOCABULARY - 40 + i,
      { bytes: new Uint8Array(2), rule: { rank: i, left: 0, right: i === 0 ? 1 : VOCABULARY - 41 + i } },
    ]);
    expect(sized(VOCABULARY, chain)).toContain("rules");
  });

  test.each([
    ["of more tokens than a path of 20 words opens", { vocabularySize: VOCABULARY + 1 }, DRAWS],
    [
      "in terms with more inputs than a statement has room for",
      { inputs: Array<Hex>(INPUTS + 1).fill(zeroHash) },
      DRAWS,
    ],
    ["of a model with more draws than are approved at once", {}, 2 * DRAWS],
  ])("%s is not registered", async (_, changed, draws) => {
    const other = await modelWith(changed, draws);
    expect(await f.refusal(f.stranger, other.registration)).toBe("LedgerTracesOtherModel");
  });

  test("is registered once with its statics", async () => {
    expect(await f.refusal(f.stranger, registration)).toBe("LedgerTracesRegistered");
  });
});

test.each([
  [48n, 24n, true],
  [48n, 96n, true],
  [48n - 1n, 36n, false],
  [72n, 24n - 1n, false],
  [72n, 85n, false],
])("a game of a window of %i hours and clocks of %i is deployed: %s", async (window, side, isTaken) => {
  const contract = pickContract(await compileContracts({ set: "disputes" }), "LedgerTraces");
  const times = [window * HOUR_SECONDS, side * HOUR_SECONDS];
  const [rules, checks] = [await f.read("rules"), await f.read("checks")];
  const deployed = deployContract(f.clients, "LedgerTraces", contract, [
    ...[rules, ...times, BOND_WEI, STAKE_WEI, checks, zeroAddress],
  ]).then(
    () => true,
    (error) =>
      isRollupError(error, "CON_DEPLOY_FAILED") && /TraceParametersInvalid/.exec(String(error.cause))?.[0],
  );
  expect(await deployed).toBe(isTaken || "TraceParametersInvalid");
});

test("as many draws as a model may have are approved with a quarter of a transaction's gas to standby", async () => {
  const { data } = claimOfSize(60_000, [LETTERS], 100n);
  await f.send(f.owner, data, BOND_WEI);
  const claimId = await f.read<bigint>("claimCount");
  const receipt = await f.receiptOf(claimId);
  await f.passTime(80n * HOUR_SECONDS);
  // One claim stands for all: of others four words each are read for the first time, for 2,000 gas more.
  const colderGas = (DRAWS - 1) * (4 + 1) * 2_000;
  const elements = Array.from({ length: DRAWS }, (_, k) => [
    (1n << 128n) | BigInt(k + 1),
    (BigInt(k + 1) << 24n) | 7n,
    receipt,
  ]).flat();
  const tail = [
    ...elements,
    ...Array<bigint>((DATA_CHUNK - (elements.length % DATA_CHUNK)) % DATA_CHUNK).fill(0n),
  ];
  let commitment = 7n;
  for (let from = 0; from < tail.length; from += DATA_CHUNK)
    commitment = hashTagged(TAG.data, [commitment, ...tail.slice(from, from + DATA_CHUNK)]);
  const ids = Array<bigint>(DRAWS).fill(claimId);
  const args = [model.rollup, BigInt(MODEL_ID), commitment, 7n, tail, BigInt(elements.length), ids];
  const gas = await sendWithin(f.stranger, gameCall("approve", args));
  expect(gas + colderGas).toBeLessThanOrEqual(MOST_GAS);
  console.log({ approve: gas, colderGas });
});
