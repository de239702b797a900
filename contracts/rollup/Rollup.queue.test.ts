/** Tests of the Rollup contract's queue: deposits, forced operations, fees, refunds. */
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  parseSignature,
} from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTokenAbi, rollupAbi } from "../build/rollup-abi.ts";
import { revertEachTest } from "../testing/chain.ts";
import {
  ANY_FEE,
  depositNewSlot,
  forcedEntry,
  OPEN,
  type Role,
  revertName,
  revertOf,
  SHAPES,
  slot,
  startFixture,
  submission,
} from "../testing/rollup-fixture.ts";

const ZERO = "0x0000000000000000000000000000000000000000";
const DAY = 86_400n;

let f: Awaited<ReturnType<typeof startFixture>>;

beforeAll(async () => {
  f = await startFixture({ queueCapacity: 16 });
  await f.fund("alice", 1_000n * OPEN);
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const as = (role: Role) => ({ account: f.roles[role] });
const word = (role: Role) => BigInt(f.roles[role]);
const setKey = (id: number, role: Role = "alice") => f.rollup.write.forceSetKey([id, 77n, ANY_FEE], as(role));
const setKeySlot = (id: number, role: Role = "alice") =>
  slot(KIND.forcedSetKey, [0n, 77n, 0n, word(role)], { a: id, isValid: true });

const force = (kind: number, fields: Parameters<typeof forcedEntry>[1], role: Role = "alice") =>
  f.rollup.write.force([forcedEntry(kind, fields), ANY_FEE], as(role));

describe("force", () => {
  const tried = (kind: number, fields: Parameters<typeof forcedEntry>[1]) =>
    revertOf(f.rollup.simulate.force([forcedEntry(kind, fields), ANY_FEE], as("alice")));
  const {
    forcedApproveModel,
    forcedCommitData,
    forcedPayInference,
    forcedPublishVersion,
    forcedRevokeModel,
  } = KIND;

  test("takes no kind but its own, and none that a slot or a batch would read as another", async () => {
    const kinds = [0, 3, KIND.depositNew, KIND.forcedCloseEpoch, 29, 31];
    for (const kind of [...kinds, 32 + forcedPayInference, 256 + forcedPayInference])
      expect(await tried(kind, {}), String(kind)).toEqual({
        name: "RollupKindUnknown",
        args: [BigInt(kind)],
      });
  });

  test("takes no field that a batch could not post: it would hold up the queue for good", async () => {
    const widest: [number, Record<string, bigint>][] = [
      [forcedPayInference, { amountWei: 2n ** 95n - 1n, word1: FIELD_ORDER - 1n, word2: FIELD_ORDER - 1n }],
      [forcedRevokeModel, { a: 2n ** 24n - 1n, b: 2n ** 24n - 1n }],
      [forcedApproveModel, { amountWei: 2n ** 39n - 1n, word2: FIELD_ORDER - 1n }],
      [forcedCommitData, { b: 2n ** 24n - 1n, amountWei: 2n ** 32n - 1n, word2: FIELD_ORDER - 1n }],
      [
        forcedPublishVersion,
        { amountWei: 2n ** 32n - 1n, word2: 1n, word3: FIELD_ORDER - 1n, word4: FIELD_ORDER - 1n },
      ],
    ];
    for (const [kind, fields] of widest) {
      expect(await tried(kind, fields)).toMatchObject({ name: "accepted" });
      const bits = {
        a: 24n,
        b: 24n,
        amountWei: fields.amountWei === undefined ? 0n : BigInt(fields.amountWei.toString(2).length),
      };
      const broken = [
        ...Object.entries(bits).map(([name, width]) => ({ [name]: 1n << width })),
        ...["a", "b", "amountWei"].map((name) => ({ [name]: 2n ** 256n - 1n })),
        ...["word1", "word2"].flatMap((name) => [{ [name]: FIELD_ORDER }, { [name]: 2n ** 256n - 1n }]),
        // A publication has two words more, and no second leaf.
        ...(kind === forcedPublishVersion ? ["b"] : ["word3", "word4"]).map((name) => ({ [name]: 1n })),
        ...["word3", "word4"].map((name) => ({ [name]: FIELD_ORDER })),
      ];
      for (const change of broken)
        expect(
          await tried(kind, { ...fields, ...change }),
          `${kind} ${Object.keys(change)[0]}`,
        ).toMatchObject({
          name: "RollupElementOutOfField",
        });
    }
  });
});

describe("queue entries", () => {
  test("state their fields in an event and their hash and time in one word", async () => {
    const cases: [() => Promise<Hex>, Partial<Record<string, unknown>>][] = [
      [
        () => f.rollup.write.depositNew([2n * OPEN, f.roles.bob, 9n, ANY_FEE], as("alice")),
        { kind: KIND.depositNew, amountWei: 2n * OPEN, word1: word("bob"), word2: 9n, burnedFeeWei: OPEN },
      ],
      [
        () => f.rollup.write.depositTo([7, 3n * OPEN, f.roles.bob, ANY_FEE], as("alice")),
        { kind: KIND.depositTo, b: 7, amountWei: 3n * OPEN, word1: word("bob") },
      ],
      [
        () => f.rollup.write.forceWithdraw([5, 4n, f.roles.bob, ANY_FEE], as("alice")),
        { kind: KIND.forcedWithdraw, a: 5, amountWei: 4n, word1: word("bob"), burnedFeeWei: OPEN },
      ],
      [() => setKey(6), { kind: KIND.forcedSetKey, a: 6, word1: 77n, burnedFeeWei: OPEN }],
      [
        () => f.rollup.write.forceSetOwner([6, f.roles.bob, ANY_FEE], as("alice")),
        { kind: KIND.forcedSetOwner, a: 6, word1: word("bob"), burnedFeeWei: 2n * OPEN },
      ],
      [
        () => f.rollup.write.forceTransfer([6, 7, 8n, f.roles.bob, ANY_FEE], as("alice")),
        {
          kind: KIND.forcedTransfer,
          a: 6,
          b: 7,
          amountWei: 8n,
          word1: word("bob"),
          burnedFeeWei: 2n * OPEN,
        },
      ],
      [
        () => f.rollup.write.forceClaimRewards([6, 7, 255, true, ANY_FEE], as("alice")),
        {
          kind: KIND.forcedClaimRewards,
          a: 6,
          b: 7,
          burnedFeeWei: 4n * OPEN,
          word1: packClaim(255, PAYEE_ROLE.validator),
        },
      ],
      [
        () => f.rollup.write.forceClaimRewards([6, 7, 3, false, ANY_FEE], as("alice")),
        {
          kind: KIND.forcedClaimRewards,
          a: 6,
          b: 7,
          burnedFeeWei: 4n * OPEN,
          word1: packClaim(3, PAYEE_ROLE.contributor),
        },
      ],
      [
        () => f.rollup.write.forceCloseEpoch([9, ANY_FEE], as("alice")),
        { kind: KIND.forcedCloseEpoch, b: 9, word1: "time", burnedFeeWei: 8n * OPEN },
      ],
      [
        () => force(KIND.forcedPayInference, { a: 6n, b: 9n, amountWei: 8n, word1: word("bob"), word2: 5n }),
        {
          kind: KIND.forcedPayInference,
          a: 6,
          b: 9,
          amountWei: 8n,
          word1: word("bob"),
          word2: 5n,
          burnedFeeWei: 8n * OPEN,
        },
      ],
      [
        () => force(KIND.forcedRevokeModel, { a: 6n, b: 9n }),
        { kind: KIND.forcedRevokeModel, a: 6, b: 9, burnedFeeWei: 8n * OPEN },
      ],
      [
        () => force(KIND.forcedApproveModel, { a: 6n, b: 9n, amountWei: 7n, word1: word("bob"), word2: 5n }),
        {
          kind: KIND.forcedApproveModel,
          a: 6,
          b: 9,
          amountWei: "time",
          word1: word("bob"),
          word2: 5n,
          burnedFeeWei: 8n * OPEN,
        },
      ],
      [
        () => force(KIND.forcedCommitData, { a: 6n, b: 9n, amountWei: 40n, word2: 5n }),
        { kind: KIND.forcedCommitData, a: 6, b: 9, amountWei: 40n, word2: 5n, burnedFeeWei: 8n * OPEN },
      ],
      [
        () =>
          force(KIND.forcedPublishVersion, {
            a: 9n,
            amountWei: 40n,
            word1: 1n,
            word2: 2n,
            word3: 3n,
            word4: 4n,
          }),
        {
          kind: KIND.forcedPublishVersion,
          a: 9,
          amountWei: 40n,
          burnedFeeWei: 8n * OPEN,
          word1: 1n,
          word2: 2n,
          word3: 3n,
          word4: 4n,
        },
      ],
    ];
    for (const [queue, fields] of cases) {
      const index = await f.rollup.read.queueTail();
      await queue();
      const [added] = await f.rollup.getEvents.QueueEntryAdded();
      const { timestamp } = await f.client.getBlock();
      const expected = {
        a: 0,
        b: 0,
        amountWei: 0n,
        word1: 0n,
        word2: 0n,
        word3: 0n,
        word4: 0n,
        burnedFeeWei: 0n,
        index,
        sender: f.roles.alice,
        timestamp: Number(timestamp),
        ...fields,
        // A ForcedCloseEpoch says when it was queued.
        ...(fields.word1 === "time" ? { word1: timestamp } : {}),
        ...(fields.amountWei === "time" ? { amountWei: 7n | (timestamp << 39n) } : {}),
      };
      expect(added?.args).toEqual(expected);
      const { kind, a, b, amountWei, word1, word2, word3, word4 } = added!.args;
      const values = [
        index,
        BigInt(kind!),
        BigInt(a!),
        BigInt(b!),
        amountWei!,
        word1!,
        word2!,
        word3!,
        word4!,
        word("alice"),
      ];
      const hash = keccak256(
        encodeAbiParameters(
          values.map(() => ({ type: "uint256" })),
          values,
        ),
      );
      const stored = await f.rollup.read.queueEntries([index]);
      expect(stored >> 40n).toBe(BigInt(hash) >> 40n);
      expect(stored & (2n ** 40n - 1n)).toBe(timestamp);
      expect(await f.rollup.read.queueTail()).toBe(index + 1n);
    }
  });

  test("takes a deposit's amount and a forced operation's fee from the sender (I1)", async () => {
    const [alice, rollup] = [f.roles.alice, f.deployment.rollup];
    const balances = () => Promise.all([f.token.read.balanceOf([alice]), f.token.read.balanceOf([rollup])]);
    const [mine, its] = await balances();
    await f.depositNew("alice", 5n * OPEN);
    // A new account's id fee besides.
    expect(await balances()).toEqual([mine - 6n * OPEN, its + 6n * OPEN]);
    expect(await f.rollup.read.queuedDeposits()).toEqual([1n, 5n * OPEN]);
    const burnable = await f.rollup.read.burnableWei();
    await setKey(1);
    expect(await balances()).toEqual([mine - 7n * OPEN, its + 7n * OPEN]);
    expect(await f.rollup.read.burnableWei()).toBe(burnable + OPEN);
  });

  test("refuses what no circuit could execute", async () => {
    const { depositNew, depositTo, forceSetKey, forceSetOwner, forceTransfer, forceWithdraw } =
      f.rollup.simulate;
    const { bob } = f.roles;
    const cases: [() => Promise<unknown>, string][] = [
      [() => depositNew([OPEN - 1n, bob, 0n, ANY_FEE], as("alice")), "RollupDepositTooSmall"],
      [() => depositNew([0n, bob, 0n, ANY_FEE], as("alice")), "RollupDepositTooSmall"],
      [() => depositNew([OPEN, ZERO, 0n, ANY_FEE], as("alice")), "RollupAddressZero"],
      [() => depositNew([OPEN, bob, FIELD_ORDER, ANY_FEE], as("alice")), "RollupKeyOutOfField"],
      [() => depositTo([0, OPEN - 1n, bob, ANY_FEE], as("alice")), "RollupDepositTooSmall"],
      [() => depositTo([0, OPEN, ZERO, ANY_FEE], as("alice")), "RollupAddressZero"],
      [() => forceWithdraw([0, 0n, bob, ANY_FEE], as("alice")), "RollupAmountZero"],
      [() => forceWithdraw([0, 1n, ZERO, ANY_FEE], as("alice")), "RollupAddressZero"],
      [() => forceSetKey([0, FIELD_ORDER, ANY_FEE], as("alice")), "RollupKeyOutOfField"],
      [() => forceSetOwner([0, ZERO, ANY_FEE], as("alice")), "RollupAddressZero"],
      [() => forceTransfer([0, 0, 0n, bob, ANY_FEE], as("alice")), "RollupAmountZero"],
      [() => forceTransfer([0, 0, 1n, ZERO, ANY_FEE], as("alice")), "RollupAddressZero"],
    ];
    for (const [i, [call, expected]] of cases.entries())
      expect(await revertName(call()), `case ${i}`).toBe(expected);
    const edges = [
      () => depositNew([OPEN, bob, FIELD_ORDER - 1n, ANY_FEE], as("alice")),
      () => depositNew([OPEN, bob, 0n, ANY_FEE], as("alice")),
      () => depositTo([0, OPEN, bob, ANY_FEE], as("alice")),
      () => forceWithdraw([0, 2n ** 96n - 1n, bob, ANY_FEE], as("alice")),
      () => forceSetKey([0xffffff, FIELD_ORDER - 1n, ANY_FEE], as("alice")),
      () => forceTransfer([0xffffff, 0xffffff, 2n ** 96n - 1n, bob, ANY_FEE], as("alice")),
    ];
    for (const [i, call] of edges.entries()) expect(await revertName(call()), `edge ${i}`).toBe("accepted");
  });

  test("refuses a sender without the tokens, with the token's own error", async () => {
    await f.token.write.approve([f.deployment.rollup, 0n], as("bob"));
    expect(await revertName(f.rollup.simulate.depositNew([OPEN, f.roles.bob, 0n, ANY_FEE], as("bob")))).toBe(
      "ERC20InsufficientAllowance",
    );
    expect(await revertName(f.rollup.simulate.forceSetKey([1, 1n, ANY_FEE], as("bob")))).toBe(
      "ERC20InsufficientAllowance",
    );
  });

  test("keeps one forced withdrawal open for a leaf and sender", async () => {
    const force = (id: number, role: Role) =>
      f.rollup.simulate.forceWithdraw([id, OPEN, f.roles.bob, ANY_FEE], as(role));
    await f.rollup.write.forceWithdraw([2, OPEN, f.roles.bob, ANY_FEE], as("alice"));
    expect(await f.rollup.read.isForcedWithdrawalOpen([2, f.roles.alice])).toBe(true);
    expect(await revertOf(force(2, "alice"))).toEqual({
      name: "RollupForcedWithdrawalOpen",
      args: [2, f.roles.alice],
    });
    expect(await revertName(force(3, "alice"))).toBe("accepted");
    expect(await revertName(force(2, "bob"))).toBe("accepted");
    const words = [OPEN, word("bob"), 0n, word("alice"), 0n];
    await f.post({ wide: [slot(KIND.forcedWithdraw, words, { a: 2 })] });
    expect(await revertName(force(2, "alice"))).toBe("accepted");
  });
});

describe("flooding", () => {
  test("doubles the fee with each eighth of the queue, and takes it back as the queue empties", async () => {
    const fees: bigint[] = [];
    for (let i = 0; i < 16; i++) {
      fees.push((await f.rollup.read.queueFeeWei()) / OPEN);
      await setKey(i);
    }
    expect(fees).toEqual([1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8].map(BigInt));
    const take = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => setKeySlot(from + i));
    await f.post({ shape: SHAPES[1], wide: take(0, 9) });
    expect(await f.rollup.read.queueFeeWei()).toBe(8n * OPEN);
    await f.post({ shape: SHAPES[1], wide: take(9, 14) });
    expect(await f.rollup.read.queueFeeWei()).toBe(2n * OPEN);
  });

  test("refuses an entry beyond the capacity, and deposits beyond half of it", async () => {
    for (let i = 0; i < 8; i++) await f.depositNew("alice", OPEN);
    const deposit = () => f.rollup.simulate.depositNew([OPEN, f.roles.bob, 0n, ANY_FEE], as("alice"));
    expect(await revertOf(deposit())).toEqual({ name: "RollupDepositsFull", args: [8n] });
    for (let i = 0; i < 8; i++) await setKey(i);
    const force = () => f.rollup.simulate.forceSetKey([1, 1n, ANY_FEE], as("alice"));
    expect(await revertOf(force())).toEqual({ name: "RollupQueueFull", args: [16n] });
    const wide = Array.from({ length: 8 }, () => depositNewSlot(OPEN, f.roles.alice, 5n, f.roles.alice));
    await f.post({ shape: SHAPES[1], wide });
    expect(await revertName(force())).toBe("accepted");
    expect(await revertName(deposit())).toBe("accepted");
  });
});

describe("soft deadline", () => {
  test("lets anyone submit batches of queue entries once the oldest is overdue", async () => {
    await setKey(2);
    const queuedAt = (await f.client.getBlock()).timestamp;
    const atTime = async (timestamp: bigint) => {
      await f.client.setNextBlockTimestamp({ timestamp });
      await f.client.mine({ blocks: 1 });
      return revertName(f.trySubmit([f.close(await f.draft({ wide: [setKeySlot(2)] }))], "stranger"));
    };
    expect(await atTime(queuedAt + DAY)).toBe("RollupNotSequencer");
    expect(await f.rollup.read.isOverdue([1n])).toBe(false);
    expect(await atTime(queuedAt + DAY + 1n)).toBe("accepted");
    expect(await f.rollup.read.isOverdue([1n])).toBe(true);
    await f.post({ wide: [setKeySlot(2)] }, "stranger");
    // The next one needs an overdue entry again.
    expect(await revertName(f.trySubmit([f.close(await f.draft())], "stranger"))).toBe("RollupNotSequencer");
  });

  test("lets nobody but the sequencer submit signed operations", async () => {
    await setKey(2);
    await f.passTime(DAY + 1n);
    const closed = f.close(await f.draft({ wide: [setKeySlot(2)], signedCount: 1 }));
    expect(await revertOf(f.trySubmit([closed], "stranger"))).toEqual({
      name: "RollupSignedOperations",
      args: [f.roles.stranger, 1n],
    });
    expect(await revertName(f.trySubmit([closed]))).toBe("accepted");
  });

  test("asks every batch, also the sequencer's, for as many overdue entries as it can take, up to 8 (I7)", async () => {
    for (let i = 0; i < 12; i++) await setKey(i);
    await f.passTime(DAY + 1n);
    // A young entry behind the overdue ones is owed by nobody.
    await setKey(12);
    const take = (count: number, shape: (typeof SHAPES)[number], from = 0) =>
      f.draft({ shape, wide: Array.from({ length: count }, (_, i) => setKeySlot(from + i)) });
    for (const role of ["sequencer", "stranger"] as const) {
      const verdict = async (count: number, shape: (typeof SHAPES)[number]) =>
        revertOf(f.trySubmit([f.close(await take(count, shape))], role));
      expect(await verdict(7, SHAPES[1])).toEqual({ name: "RollupOverdueEntryLeft", args: [8n, 7n] });
      expect(await verdict(0, SHAPES[1])).toMatchObject({ name: "RollupOverdueEntryLeft" });
      expect(await verdict(8, SHAPES[1])).toMatchObject({ name: "accepted" });
      // A circuit with three wide slots takes three.
      expect(await verdict(2, SHAPES[0])).toMatchObject({ name: "RollupOverdueEntryLeft" });
      expect(await verdict(3, SHAPES[0])).toMatchObject({ name: "accepted" });
    }
    await f.submit([f.close(await take(8, SHAPES[1]))]);
    // Four are left: fewer than eight, so all four.
    const rest = async (count: number) => revertName(f.trySubmit([f.close(await take(count, SHAPES[1], 8))]));
    expect(await rest(3)).toBe("RollupOverdueEntryLeft");
    expect(await rest(4)).toBe("accepted");
    expect(await rest(5)).toBe("accepted");
  });

  test("asks each batch of one transaction, on what the one before has left", async () => {
    for (let i = 0; i < 5; i++) await setKey(i);
    await f.passTime(DAY + 1n);
    const wide = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => setKeySlot(from + i));
    const first = f.close(await f.draft({ wide: wide(0, 3) }));
    const second = f.close(await f.draft({ wide: wide(3, 5), after: first.content }));
    const idle = f.close(await f.draft({ after: first.content }));
    const last = f.close(await f.draft({ after: second.content }));
    expect(await revertName(f.trySubmit([first, second, last]))).toBe("accepted");
    expect(await revertName(f.trySubmit([first, idle]))).toBe("RollupOverdueEntryLeft");
    expect(await revertName(f.trySubmit([first, second, last], "stranger"))).toBe("RollupNotSequencer");
  });

  test("emits the data where the transaction's input may not hold it", async () => {
    await setKey(2);
    await f.passTime(DAY + 1n);
    const closed = f.close(await f.draft({ wide: [setKeySlot(2)] }));
    const data = encodeFunctionData({
      abi: rollupAbi,
      functionName: "submitBatches",
      args: submission([closed]),
    });
    const id = await f.client.snapshot();

    // A contract that passes its input on.
    const forwarder: Address = "0x00000000000000000000000000000000f0f0f0f0";
    const call = concatHex([
      "0x365f5f375f5f365f5f73",
      f.deployment.rollup,
      "0x5af13d5f5f3e602a573d5ffd5b3d5ff3",
    ]);
    await f.client.setCode({ address: forwarder, bytecode: call });
    const hash = await f.client.sendTransaction({ ...as("stranger"), to: forwarder, data });
    expect((await f.client.waitForTransactionReceipt({ hash })).status).toBe("success");
    expect((await f.rollup.getEvents.BatchData())[0]?.args).toEqual({
      batchNumber: closed.content.batchNumber,
      data: closed.batch.data,
    });

    // An account that runs code (EIP-7702) may be its own forwarder, so it counts as one even in a plain call.
    await f.client.revert({ id });
    await f.client.setCode({ address: f.roles.stranger, bytecode: concatHex(["0xef0100", forwarder]) });
    await f.submit([closed], "stranger");
    expect((await f.rollup.getEvents.BatchData()).length).toBe(1);
  });
});

describe("permit", () => {
  async function permit(valueWei: bigint) {
    const deadline = 2n ** 64n;
    const { name, version, chainId, verifyingContract } = await f.token.read.eip712Domain().then((d) => ({
      name: d[1],
      version: d[2],
      chainId: d[3],
      verifyingContract: d[4],
    }));
    const signature = await f.client.signTypedData({
      ...as("bob"),
      domain: { name, version, chainId: Number(chainId), verifyingContract },
      types: {
        Permit: [
          { name: "owner", type: "address" },
          { name: "spender", type: "address" },
          { name: "value", type: "uint256" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      },
      primaryType: "Permit",
      message: {
        owner: f.roles.bob,
        spender: f.deployment.rollup,
        value: valueWei,
        nonce: await f.token.read.nonces([f.roles.bob]),
        deadline,
      },
    });
    const { r, s, v } = parseSignature(signature);
    return { valueWei, deadline, v: Number(v), r, s };
  }
  beforeEach(() => f.token.write.approve([f.deployment.rollup, 0n], as("bob")));

  test("deposits without an earlier approval", async () => {
    const both = await permit(2n * OPEN);
    await f.rollup.write.depositNewWithPermit([OPEN, f.roles.bob, 0n, ANY_FEE, both], as("bob"));
    await f.rollup.write.depositToWithPermit([2, OPEN, f.roles.bob, ANY_FEE, await permit(OPEN)], as("bob"));
    expect(await f.rollup.read.queuedDeposits()).toEqual([2n, 2n * OPEN]);
  });

  test("works although somebody else used the permit first", async () => {
    const { valueWei, deadline, v, r, s } = await permit(2n * OPEN);
    const args = [f.roles.bob, f.deployment.rollup, valueWei, deadline, v, r, s] as const;
    await f.token.write.permit(args, as("stranger"));
    await f.rollup.write.depositNewWithPermit(
      [OPEN, f.roles.bob, 0n, ANY_FEE, { valueWei, deadline, v, r, s }],
      as("bob"),
    );
    expect(await f.rollup.read.queuedDeposits()).toEqual([1n, OPEN]);
  });

  test("refuses a wrong permit where there is no allowance", async () => {
    const wrong = { ...(await permit(OPEN)), valueWei: 3n * OPEN };
    const call = f.rollup.simulate.depositNewWithPermit([OPEN, f.roles.bob, 0n, ANY_FEE, wrong], as("bob"));
    expect(await revertName(call)).toBe("ERC20InsufficientAllowance");
    expect(openTokenAbi.some((item) => item.type === "error")).toBe(true);
  });
});
