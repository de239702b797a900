/** A prompt's tokens, compared on L1 one or two at a time (docs/explanation/fault-proofs.md). */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { traceGameAbi, wordBordersAbi } from "@openledger/contracts/build/trace-abi";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { JOINING, type SpelledToken, type TokenSpelling } from "@openledger/models/tokens/token-spelling";
import { BORDER, PATTERN, type Pattern, wordBorder } from "@openledger/models/tokens/word-borders";
import { decodeFunctionData, toHex } from "viem";
import { beforeEach, describe, expect, test } from "vitest";
import { startLedgerTraces, tinyRegistered } from "../testing/ledger-fixture.ts";
import { BOND_WEI, gameCall } from "../testing/trace-fixture.ts";
import { tracedPlayer } from "../traced-player.ts";
import { type ClaimedPrompt, faultOfPrompt, refutePromptCall } from "./prompt-tokens.ts";
import { packLengths, promptVocabulary } from "./prompt-vocabulary.ts";
import { claimOf, type TracedQuery, traceQuery } from "./traced-model.ts";

const PROMPT = "How?";
const END_TOKEN = 5;
const VOCABULARY_SIZE = 40;
const [H, O, W, OW, HOW, HO, QUESTION, WHO, H_SIGN, BLANK, BLANK_HOW] = [
  10, 12, 13, 11, 3, 15, 14, 9, 16, 17, 18,
];
const [E_ACUTE, TAT, ETAT, HALF, HALF_TAT, C3] = [19, 20, 21, 22, 23, 24];

/** "o w" is joined before "H ow", and that before "H o". */
function made(): TokenSpelling {
  const tokens: SpelledToken[] = Array.from({ length: VOCABULARY_SIZE }, () => ({
    bytes: new Uint8Array(),
    rule: null,
  }));
  const put = (token: number, text: string, rule: SpelledToken["rule"] = null) => {
    tokens[token] = { bytes: new TextEncoder().encode(text), rule };
  };
  const named = { [H]: "H", [O]: "o", [W]: "w", [QUESTION]: "?", [WHO]: "Who", [BLANK]: " " };
  for (const [token, text] of Object.entries({ ...named, [E_ACUTE]: "é", [TAT]: "tat", [HALF]: "½" }))
    put(Number(token), text);
  put(OW, "ow", { rank: 0, left: O, right: W });
  put(HOW, "How", { rank: 1, left: H, right: OW });
  put(HO, "Ho", { rank: 2, left: H, right: O });
  put(BLANK_HOW, " How", { rank: 4, left: BLANK, right: HOW });
  put(ETAT, "état", { rank: 5, left: E_ACUTE, right: TAT });
  put(HALF_TAT, "½tat", { rank: 6, left: HALF, right: TAT });
  tokens[C3] = { bytes: Uint8Array.of(0xc3), rule: null };
  put(H_SIGN, "w?", { rank: 3, left: W, right: QUESTION });
  return { tokens, joining: JOINING.gpt2Marked };
}

const vocabulary = promptVocabulary(made());
const f = started(() => startLedgerTraces());
const ledger = started(() => tinyRegistered(f, { endToken: END_TOKEN, vocabulary }));
revertEachTest(() => f);

/** The model's right query of these tokens. */
const queryOf = (prompt: readonly number[]): TracedQuery =>
  traceQuery(
    ledger.model,
    { tokens: [...prompt, 15, END_TOKEN], promptCount: prompt.length },
    ledger.kernels,
  );
const callOf = (prompt: readonly number[], lengths: readonly number[]) =>
  ledger.claimCall(queryOf(prompt), { lengths, prompt: PROMPT });

async function claim(
  prompt: readonly number[],
  lengths: readonly number[],
  text = PROMPT,
): Promise<ClaimedPrompt> {
  const claimId = await ledger.claim(queryOf(prompt), { lengths, prompt: text });
  const shown = { prompt: toHex(text), lengths: packLengths(lengths) };
  return { claimId, ...shown, statement: claimOf(ledger.model, queryOf(prompt)).statement };
}

describe("a claim whose query is right, but of other tokens than the prompt's,", () => {
  test.each([
    ["one of which spells something else", [WHO, QUESTION], [3, 1], "spelling"],
    ["one of which spells more than its length says", [HOW, O, QUESTION], [2, 1, 1], "spelling"],
    ["one of which spells nothing", [30, QUESTION], [3, 1], "spelling"],
    ["two of which are joined", [H, OW, QUESTION], [1, 2, 1], "join"],
    ["two of which have parts that are joined before", [HO, W, QUESTION], [2, 1, 1], "join"],
    ["two of which are joined beside a blank", [BLANK, HOW, QUESTION], [1, 3, 1], "join", " How?"],
    ["one of which is made of two pieces", [HO, H_SIGN], [2, 2], "cut"],
    ["two of which are joined beyond ASCII", [E_ACUTE, TAT, QUESTION], [2, 3, 1], "join", "état?"],
    ["one of which is of two pieces beyond ASCII", [HALF_TAT, QUESTION], [5, 1], "cut", "½tat?"],
  ] as const)(
    "%s, is refuted by a watcher in one transaction",
    async (_, prompt, lengths, kind, text: string = PROMPT) => {
      const { claimId } = await claim(prompt, lengths, text);
      const watcher = f.playerOf(f.watcher, queryOf(prompt), {
        challenges: true,
        refutePrompt: ({ claimId: id, shown, statement }) => {
          const claimed = { claimId: id, statement, ...shown! };
          const fault = faultOfPrompt(vocabulary, claimed);
          expect(fault?.kind).toBe(kind);
          return fault && refutePromptCall(vocabulary, ledger.traced, claimed, fault);
        },
      });
      const { failures, moves } = await watcher.playOnce();
      expect(failures).toEqual([]);
      expect(moves.map(({ what }) => what)).toEqual(["prompt"]);
      expect(await f.read("owedWei", [f.watcher])).toBe(BOND_WEI / 2n);
      const claimed = await f.read<readonly unknown[]>("claims", [claimId]);
      const [, , , isRefuted, , , , bondWei, , key] = claimed;
      expect({ isRefuted, bondWei }).toEqual({ isRefuted: true, bondWei: 0n });
      expect(await f.read("isLost", [key])).toBe(true);
      expect((await watcher.playOnce()).moves).toEqual([]);
    },
  );

  test.each([
    ["that do not make up the prompt", [HOW, QUESTION], [3, 2]],
    ["of which one has no bytes", [HOW, 30, QUESTION], [3, 0, 1]],
    ["of which one has no length", [HOW, QUESTION], [4]],
    ["without any lengths", [HOW, QUESTION], []],
  ])("%s, is not taken", async (_, prompt, lengths) => {
    expect(await f.refusal(f.owner, callOf(prompt, lengths), BOND_WEI)).toBe("LedgerTracesClaimInvalid");
  });
});

type PromptFault = Parameters<typeof refutePromptCall>[3];
/** What L1 says of it. */
const refutation = (of: ClaimedPrompt, fault: PromptFault, known = vocabulary) =>
  f.refusal(f.stranger, refutePromptCall(known, ledger.traced, of, fault));

describe("a claim of the prompt's own tokens", () => {
  let claimed: ClaimedPrompt;
  beforeEach(async () => {
    claimed = await claim([HOW, QUESTION], [3, 1]);
  });
  const refute = (fault: PromptFault, of = claimed, known = vocabulary) => refutation(of, fault, known);

  test("stands against everything that can be shown of them", async () => {
    expect(faultOfPrompt(vocabulary, claimed)).toBeNull();
    for (const place of [0, 1]) expect(await refute({ kind: "spelling", place })).toBe("TraceNothingWrong");
    // No rule joins the two; the one that joins parts of them waits for another rule.
    const join = { kind: "join", place: 0 } as const;
    expect(await refute({ ...join, joined: OW, left: [], right: [] })).toBe("TraceNothingWrong");
    expect(await refute({ ...join, joined: H_SIGN, left: [HOW, OW], right: [] })).toBe("TraceNothingWrong");
    // Behind the prompt the answer begins.
    expect(await refute({ ...join, place: 1, joined: OW, left: [], right: [] })).toBe("TraceNothingWrong");
  });

  test("is not compared with another vocabulary, prompt, model or statement", async () => {
    const spelling = { kind: "spelling", place: 0 } as const;
    const other = made().tokens.with(HOW, { bytes: new TextEncoder().encode("Who"), rule: null });
    const known = promptVocabulary({ tokens: other, joining: JOINING.gpt2Marked });
    expect(await refute(spelling, claimed, known)).toBe("PromptEntryInvalid");
    expect(await refute(spelling, { ...claimed, prompt: "0x57686f3f" })).toBe("LedgerTracesOpeningInvalid");
    expect(await refute(spelling, { ...claimed, lengths: packLengths([1, 3]) })).toBe(
      "LedgerTracesOpeningInvalid",
    );
    const { statement } = claimOf(ledger.model, queryOf([WHO, QUESTION]));
    expect(await refute(spelling, { ...claimed, statement })).toBe("TraceOtherStatement");
    const data = refutePromptCall(vocabulary, { ...ledger.traced, joining: JOINING.all }, claimed, spelling);
    expect(await f.refusal(f.stranger, data)).toBe("LedgerTracesOtherModel");
    // Another token's leaf, under the number of the one that is asked for.
    const right = decodeFunctionData({
      abi: traceGameAbi,
      data: refutePromptCall(vocabulary, ledger.traced, claimed, spelling),
    });
    const entry = right.args!.at(-1) as unknown as { token: bigint };
    const wrong = decodeFunctionData({
      abi: traceGameAbi,
      data: refutePromptCall(vocabulary, ledger.traced, { ...claimed, statement }, spelling),
    }).args!.at(-1) as unknown as { token: bigint };
    for (const shown of [wrong, { ...wrong, token: entry.token }]) {
      const args = [...right.args!.slice(0, -1), shown];
      expect(await f.refusal(f.stranger, gameCall("challengeSpelling", args))).toBe("PromptEntryInvalid");
    }
  });

  test("has its window, as for queries", async () => {
    await f.passTime(73n * 3_600n);
    expect(await refute({ kind: "spelling", place: 0 })).toBe("TraceWindowOver");
    expect(await f.read("stands", [claimed.claimId])).toBe(true);
  });
});

test("a prompt that is no text is refuted at any token that stands where it is none", async () => {
  // "H", half of a character, and "?".
  const prompt = "0x48c33f";
  const [own, shown] = [
    [H, C3, QUESTION],
    [1, 1, 1],
  ];
  const { args } = decodeFunctionData({ abi: traceGameAbi, data: callOf(own, shown) });
  const [statement, path, terms, receipt] = args as readonly [never, never, never, object];
  const claimed = gameCall("claimReceipt", [statement, path, terms, { ...receipt, prompt }]);
  await f.send(f.owner, claimed, BOND_WEI);
  const claimId = (await f.read("claimCount")) as bigint;
  const of = {
    claimId,
    prompt,
    lengths: packLengths(shown),
    statement: claimOf(ledger.model, queryOf(own)).statement,
  } as const;
  const refute = (place: number) => refutation(of, { kind: "spelling", place });
  expect(faultOfPrompt(vocabulary, of)).toEqual({ kind: "spelling", place: 1 });
  expect([await refute(0), await refute(1), await refute(2)]).toEqual([
    "TraceNothingWrong",
    null,
    "TraceNothingWrong",
  ]);
});

describe("L1 and watchers have the same borders of words", () => {
  const characters = [
    ..."stmdSx''' \n\r\t1!<>é漢½٣\u0001\u0301\u3000\u0085\ufeff\u0378\u{1f600}\u{1d400}ſ",
    ...["re", "ve", "ll", "LL"],
  ];
  const ask = async (functionName: "kindsOf" | "isInside" | "isCutWithin", args: readonly unknown[]) =>
    f.client.readContract({
      ...{ address: f.borders, abi: wordBordersAbi, functionName, args },
    } as never) as Promise<never>;
  const bordersOf = (joining: number, text: Uint8Array) => ask("kindsOf", [joining, toHex(text)]);
  const twinOf = (pattern: Pattern, text: Uint8Array) =>
    Uint8Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => wordBorder(pattern, text, i + 1));

  test.each(Object.entries(PATTERN))("by the pattern of %s", async (name, pattern) => {
    const random = new SeededRandom(`borders on L1 ${name}`);
    const any = () =>
      random.nextBelow(8) === 0
        ? String.fromCodePoint(random.nextBelow(0x30000))
        : characters[random.nextBelow(characters.length)]!;
    const text = new TextEncoder().encode(Array.from({ length: 600 }, any).join(""));
    // Bytes that are no characters, too.
    const broken = text.map((byte) => (random.nextBelow(8) === 0 ? 0x80 + random.nextBelow(0x80) : byte));
    for (const one of [text, broken, text.slice(0, 1), text.slice(0, 0)])
      expect(await bordersOf(pattern, one)).toBe(toHex(twinOf(pattern, one)));
    expect(new Set(twinOf(pattern, text)).size).toBe(3);
  });

  test("one by one, in runs that are looked through so far only", async () => {
    const runs = ["1".repeat(300), `a\n${" ".repeat(300)}\n`, `!${"\r".repeat(300)} \n`].map((run) =>
      new TextEncoder().encode(run),
    );
    for (const [text, border] of [
      ...[254, 255, 256, 257, 258].map((place) => [runs[0]!, place] as const),
      ...[2, 48, 301, 302].map((place) => [runs[1]!, place] as const),
      ...[1, 301].map((place) => [runs[2]!, place] as const),
    ]) {
      const twin = wordBorder(PATTERN.llama3, text, border);
      const args = [PATTERN.llama3, toHex(text)];
      const isInside = await ask("isInside", [...args, border]);
      const isCut = await ask("isCutWithin", [...args, border - 1, border + 1]);
      expect([isInside, isCut], `${border}`).toEqual([twin === BORDER.inside, twin === BORDER.cut]);
    }
  });

  test("and by no other number", async () => {
    const text = new TextEncoder().encode("a b");
    for (const joining of [0, 2, 6, 255]) expect(await bordersOf(joining, text)).toBe("0x0000");
  });
});

test("where there is no vocabulary, a prompt of other tokens is a warning, and the query is compared all the same", async () => {
  const { claimId } = await claim([HO, W, QUESTION], [2, 1, 1]);
  const watcherOf = (isPrompt: boolean) =>
    tracedPlayer({
      ...{ publicClient: f.publicClient, game: f.game, account: f.accountOf(f.watcher), challenges: true },
      ...{ terms: ledger.traced, model: ledger.model, onProgress: () => {} },
      open: async () => ({
        kernels: "wasm",
        traced: { model: ledger.model, vocabulary: null, isPromptOf: () => isPrompt },
      }),
    });
  const { failures, moves, warnings } = await watcherOf(false).playOnce();
  const why = "its tokens are not the prompt's, and no rule shows it on L1";
  expect({ failures, moves, warnings }).toEqual({
    ...{ failures: [], moves: [] },
    warnings: [{ claimId, why }],
  });
  expect((await watcherOf(true).playOnce()).warnings).toEqual([]);
});

test("a rule that comes behind the one that waits above a part joins nothing", async () => {
  const claimed = await claim([H, OW, QUESTION], [1, 2, 1]);
  const refute = (joined: number, right: readonly number[]) =>
    refutation(claimed, { kind: "join", place: 0, joined, left: [], right });
  expect(await refute(HO, [OW])).toBe("TraceNothingWrong");
  // A part that the token does not begin with; a rule that is none.
  expect(await refute(HO, [OW, O])).toBe("PromptEntryInvalid");
  expect(await refute(QUESTION, [])).toBe("TraceNothingWrong");
  expect(await refute(HOW, [])).toBeNull();
});

test("neighbours of two pieces are not joined, whatever the rules say", async () => {
  // "w" and "?" would be joined, were they of one piece.
  const claimed = await claim([HO, W, QUESTION], [2, 1, 1]);
  const fault = { kind: "join", place: 1, joined: H_SIGN, left: [], right: [] } as const;
  expect(await refutation(claimed, fault)).toBe("TraceNothingWrong");
});
