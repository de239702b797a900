import { KIND } from "@openledger/circuits/protocol";
import { concatHex, type Hex, keccak256, pad, size, slice, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertEachTest } from "../../testing/chain.ts";
import { OPEN, revertOf, slot } from "../../testing/rollup-fixture.ts";
import {
  closeEpochSlot,
  RANDOMNESS_DELAY,
  type SettlementFixture,
  startSettlementFixture,
} from "../../testing/settlement-fixture.ts";

/** EIP-2935. */
const HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935";
const HISTORY_BLOCKS = 8_191;
const BLOCKHASH_BLOCKS = 256;

let f: SettlementFixture;

beforeAll(async () => {
  f = await startSettlementFixture();
});
afterAll(() => f?.stop());

const tryRecord = (batchNumber: bigint, header: Hex) =>
  revertOf(f.rollup.simulate.recordRandomness([batchNumber, header], { account: f.roles.stranger }));
const mixHashOf = async (blockNumber: bigint) => BigInt((await f.client.getBlock({ blockNumber })).mixHash);

describe("Close", () => {
  revertEachTest(() => f);

  test("stores the block and time of its batch once, whatever the number of CloseEpochs", async () => {
    const { content } = await f.post({
      wide: [closeEpochSlot(7), closeEpochSlot(8), closeEpochSlot(9)],
      signedCount: 3,
    });
    const block = await f.client.getBlock();
    expect(await f.rollup.read.closedAt([content.batchNumber])).toEqual([block.number, block.timestamp]);
    const events = await f.rollup.getEvents.EpochsClosed();
    expect(events.map(({ args }) => args)).toEqual([{ batchNumber: content.batchNumber }]);
    expect(await f.rollup.read.closedAt([content.batchNumber + 1n])).toEqual([0n, 0n]);
    expect(await f.rollup.read.randomness([content.batchNumber])).toBe(0n);
  });

  test("of several batches in one transaction are kept apart, and batches without one store nothing", async () => {
    const first = f.close(await f.draft({ wide: [closeEpochSlot()], signedCount: 1 }));
    const idle = f.close(await f.draft({ after: first.content }));
    const claim = slot(KIND.claimRewards, [1n], { a: 2, b: 7 });
    const last = f.close(
      await f.draft({ after: idle.content, wide: [claim, closeEpochSlot()], signedCount: 2 }),
    );
    await f.submit([first, idle, last]);
    const { number, timestamp } = await f.client.getBlock();
    const closed = (n: bigint) => f.rollup.read.closedAt([n]);
    expect(await closed(first.content.batchNumber)).toEqual([number, timestamp]);
    expect(await closed(idle.content.batchNumber)).toEqual([0n, 0n]);
    expect(await closed(last.content.batchNumber)).toEqual([number, timestamp]);
  });
});

describe("recordRandomness", () => {
  revertEachTest(() => f);

  test("stores prevRandao of the block 128 after the CloseEpoch's, whoever calls", async () => {
    const closingBatch = await f.closeEpoch();
    const [closingBlock] = await f.rollup.read.closedAt([closingBatch]);
    const prevRandao = await f.recordRandomness(closingBatch, "bob");
    expect(prevRandao).toBe(await mixHashOf(closingBlock + 128n));
    expect(prevRandao).not.toBe(0n);
    const [event] = await f.rollup.getEvents.RandomnessRecorded();
    expect(event?.args).toEqual({ batchNumber: closingBatch, prevRandao });
  });

  test("changes nothing when it is called again, with whatever header", async () => {
    const closingBatch = await f.closeEpoch();
    const prevRandao = await f.recordRandomness(closingBatch);
    for (const header of ["0x", await f.headerOf(1n)] as const) {
      await f.rollup.write.recordRandomness([closingBatch, header], { account: f.roles.bob });
      expect(await f.rollup.read.randomness([closingBatch])).toBe(prevRandao);
      expect(await f.rollup.getEvents.RandomnessRecorded()).toEqual([]);
    }
  });

  test("refuses a batch without a CloseEpoch", async () => {
    const { content } = await f.post();
    expect(await tryRecord(content.batchNumber, "0x")).toEqual({
      name: "RandomnessCloseUnknown",
      args: [content.batchNumber],
    });
  });

  test("refuses to go on before the block is there", async () => {
    const closingBatch = await f.closeEpoch();
    const number = await f.mineRandomness(closingBatch, -1);
    // A call runs in the newest block or in the next one, by the node; neither knows a hash of block `number`.
    const { name, args } = await tryRecord(closingBatch, "0x");
    expect([name, args[0]]).toEqual(["RandomnessTooEarly", number]);
    await f.client.mine({ blocks: 2 });
    expect(await tryRecord(closingBatch, await f.headerOf(number))).toMatchObject({ name: "accepted" });
  });

  test("takes the hash from the block itself for 256 blocks, and from EIP-2935 for 8,191", async () => {
    const closingBatch = await f.closeEpoch();
    const number = await f.mineRandomness(closingBatch, 2);
    const header = await f.headerOf(number);
    /** Result of a call that runs `age` blocks after the one that gives randomness. */
    const outcome = (age: number) =>
      revertOf(
        f.rollup.simulate.recordRandomness([closingBatch, header], {
          account: f.roles.stranger,
          blockOverrides: { number: number + BigInt(age) },
        }),
      );
    for (const age of [1, BLOCKHASH_BLOCKS, BLOCKHASH_BLOCKS + 1, 5_000, HISTORY_BLOCKS]) {
      expect(await outcome(age), `${age} blocks later`).toMatchObject({ name: "accepted" });
    }
    // One more, and it is missed for good.
    for (const age of [HISTORY_BLOCKS + 1, HISTORY_BLOCKS + 2, 2 * HISTORY_BLOCKS, 1_000_000]) {
      expect(await outcome(age)).toEqual({ name: "RandomnessMissed", args: [number, number + BigInt(age)] });
    }
    // A chain without EIP-2935 has only 256 blocks.
    await f.client.setCode({ address: HISTORY, bytecode: "0x" });
    expect(await outcome(BLOCKHASH_BLOCKS)).toMatchObject({ name: "accepted" });
    expect(await outcome(BLOCKHASH_BLOCKS + 1)).toMatchObject({ name: "RandomnessMissed" });
    expect(await f.rollup.read.randomness([closingBatch])).toBe(0n);
  });

  test("stores what a header shows that is known from EIP-2935 alone", async () => {
    const closingBatch = await f.closeEpoch();
    const number = await f.mineRandomness(closingBatch, 600);
    const header = await f.headerOf(number);
    await f.rollup.write.recordRandomness([closingBatch, header], { account: f.roles.bob });
    expect(await f.rollup.read.randomness([closingBatch])).toBe(await mixHashOf(number));
  });

  test("refuses the header of another block, and a header that is changed, cut or followed by more", async () => {
    const closingBatch = await f.closeEpoch();
    const number = await f.mineRandomness(closingBatch, 3);
    const header = await f.headerOf(number);
    expect(await tryRecord(closingBatch, header)).toMatchObject({ name: "accepted" });
    const expected = keccak256(header);
    const others: Hex[] = [
      await f.headerOf(number - 1n),
      await f.headerOf(number + 1n),
      slice(header, 0, size(header) - 1),
      concatHex([header, "0x00"]),
      concatHex([slice(header, 0, -1), "0x01"]),
      "0x",
    ];
    for (const other of others) {
      expect(await tryRecord(closingBatch, other)).toEqual({
        name: "RandomnessHeaderMismatch",
        args: [expected, keccak256(other)],
      });
    }
  });
});

/** Makes EIP-2935 return the hash of any bytes, so that bytes that no block has reach the parser. */
async function plantHeader(header: Hex) {
  await f.client.setCode({
    address: HISTORY,
    bytecode: concatHex(["0x7f", keccak256(header), "0x5f5260205ff3"]),
  });
}

describe("the parser of headers", () => {
  let closingBatch: bigint;
  let header: Hex;

  beforeAll(async () => {
    closingBatch = await f.closeEpoch();
    const number = await f.mineRandomness(closingBatch, BLOCKHASH_BLOCKS + 2);
    header = await f.headerOf(number);
  });
  revertEachTest(() => f);

  const parse = async (bytes: Hex) => {
    await plantHeader(bytes);
    return tryRecord(closingBatch, bytes);
  };
  /** A list with the right length in front. */
  const list = (content: Hex) => concatHex(["0xf9", pad(toHex(size(content)), { size: 2 }), content]);

  test("finds mixHash where later forks have appended fields, and where fields are short or long", async () => {
    const content = slice(header, 3);
    const mixHash = `0x${"5a".repeat(32)}` as const;
    // Thirteen fields: bytes that stand for themselves, empty, short and long ones.
    const short = concatHex(["0x05", "0x80", "0x820102", ...Array<Hex>(9).fill("0x81ff")]);
    const long = concatHex(["0xb90100", `0x${"11".repeat(256)}`]);
    for (const bytes of [header, list(concatHex([content, "0xa0", mixHash, "0x8401020304"]))]) {
      expect(await parse(bytes)).toMatchObject({ name: "accepted" });
    }
    await plantHeader(list(concatHex([short, long, "0xa0", mixHash])));
    await f.rollup.write.recordRandomness([closingBatch, list(concatHex([short, long, "0xa0", mixHash]))], {
      account: f.roles.bob,
    });
    expect(await f.rollup.read.randomness([closingBatch])).toBe(BigInt(mixHash));
  });

  test("refuses a header cut at every length, also with the list's length corrected", async () => {
    const content = slice(header, 3);
    const mixHashEnd = 3 + headLength(header) + 33;
    for (let length = 0; length < mixHashEnd; length += 5) {
      const cut = length === 0 ? "0x" : slice(header, 0, length);
      expect(await parse(cut), `${length} bytes`).toMatchObject({ name: "RandomnessHeaderMalformed" });
      if (length === 0) continue;
      const relabelled = list(slice(content, 0, length));
      if (size(relabelled) >= mixHashEnd) continue;
      expect(await parse(relabelled), `list of ${length}`).toMatchObject({
        name: "RandomnessHeaderMalformed",
      });
    }
    expect(await parse(list(slice(content, 0, mixHashEnd - 3)))).toMatchObject({ name: "accepted" });
    expect(await parse(list(slice(content, 0, mixHashEnd - 4)))).toEqual({
      name: "RandomnessHeaderMalformed",
      args: [BigInt(mixHashEnd - 33)],
    });
  });

  test("refuses what is no list of strings with a mixHash of 32 bytes", async () => {
    const content = slice(header, 3);
    const strings = (count: number, item: Hex) => concatHex(Array<Hex>(count).fill(item));
    const bloom = concatHex(["0xb90100", `0x${"00".repeat(256)}`]);
    const twelve = concatHex([strings(12, "0x80"), bloom]);
    const cases: [why: string, bytes: Hex][] = [
      ["bytes behind the list", concatHex([header, "0x00"])],
      ["a list of another length", concatHex(["0xf9", "0x0001", content])],
      ["a string", concatHex(["0xb9", slice(header, 1)])],
      ["a longer list", concatHex(["0xfa", "0x00", slice(header, 1)])],
      ["a list among the strings", list(concatHex([strings(12, "0x80"), "0xc0", bloom, content]))],
      [
        "a string with a length of three bytes",
        list(concatHex([strings(12, "0x80"), "0xba000100", content])),
      ],
      ["a string with a length of one byte", list(concatHex([strings(12, "0x80"), "0xb840", content]))],
      ["a string that runs beyond the end", list(concatHex([strings(12, "0x80"), "0xb9ffff", content]))],
      ["a mixHash of 31 bytes", list(concatHex([twelve, "0x9f", `0x${"01".repeat(40)}`]))],
      ["a mixHash that is a list", list(concatHex([twelve, "0xe0", `0x${"01".repeat(40)}`]))],
    ];
    for (const [why, bytes] of cases) {
      expect(await parse(bytes), why).toMatchObject({ name: "RandomnessHeaderMalformed" });
    }
    const good = list(concatHex([twelve, "0xa0", `0x${"01".repeat(32)}`]));
    expect(await parse(good)).toMatchObject({ name: "accepted" });
    const zero = list(concatHex([twelve, "0xa0", `0x${"00".repeat(32)}`]));
    expect(await parse(zero)).toMatchObject({ name: "RandomnessZero" });
  });

  test("treats an answer of EIP-2935 that is no hash as a missed block", async () => {
    // Empty, 31 bytes, 64 bytes, zero, a revert.
    for (const bytecode of ["0x", "0x601f5ff3", "0x60405ff3", "0x60205ff3", "0x5f5ffd"] as const) {
      await f.client.setCode({ address: HISTORY, bytecode });
      expect(await tryRecord(closingBatch, header), bytecode).toMatchObject({ name: "RandomnessMissed" });
    }
  });
});

/** Bytes of the thirteen fields before mixHash, read independently of the contract. */
function headLength(header: Hex): number {
  const bytes = Buffer.from(header.slice(2), "hex");
  let at = 3;
  for (let i = 0; i < 13; i++) {
    const prefix = bytes[at]!;
    if (prefix < 0x80) at += 1;
    else if (prefix < 0xb8) at += prefix - 0x80 + 1;
    else at += 1 + (prefix - 0xb7) + bytes.readUIntBE(at + 1, prefix - 0xb7);
  }
  return at - 3;
}

test("RANDOMNESS_DELAY is the contract's", async () => {
  expect(await f.rollup.read.RANDOMNESS_DELAY()).toBe(BigInt(RANDOMNESS_DELAY));
  expect(await f.rollup.read.ledgerWei()).toBe(1_000n * OPEN);
});
