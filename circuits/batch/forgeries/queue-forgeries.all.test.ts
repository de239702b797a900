/** Forged slots of queue entries: see slot-forgeries.test.ts. */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import type { Leaf } from "../../ledger/leaf.ts";
import type { SignedOperation } from "../../ledger/operation.ts";
import { FIELD_ORDER, KIND, LEAF_KIND, MAX_AMOUNT_WEI, WITHDRAW_ALL_WEI } from "../../protocol.ts";
import {
  AUTHORISATION,
  CREDIT,
  expectAccepted,
  expectForgeryFails,
  type Forgery,
  type Inputs,
  LEAF,
  LEAF_FIELD,
  loadForgeryTester,
  PATH,
  setInput,
  setScratch,
  WEI,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  type Build,
  CAPACITY,
  DATANET,
  FEE,
  FREE,
  HONEST,
  honest,
  MODEL,
  nameOf,
  PAYER,
  QUEUE_KINDS,
  RECIPIENT,
  SENDER,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { lawfulForm } from "../../testing/forgeries/lawless-slot.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

describe("queue entries", () => {
  const EXECUTED = "isForcedWithdraw * (words[4] - executedWei) === 0;";
  const withWord = (kind: number, i: number, value: bigint) =>
    honest(kind, { words: HONEST[kind]!.words!.with(i, value) });
  const refuses = async (rule: string, kind: number, fields: Omit<Forgery, "rule" | "kind">) =>
    expectForgeryFails({ rule, kind, ...fields });
  const forcedKinds = [KIND.forcedWithdraw, KIND.forcedSetKey, KIND.forcedSetOwner];
  /** The first statement that an entry breaks if its outcome (invalid or executed) is false. */
  const outcomeStatement = (kind: number) =>
    kind === KIND.forcedWithdraw
      ? EXECUTED
      : kind === KIND.depositNew
        ? "isNew * (bId - nextId) === 0;"
        : PATH;
  const SIDE = { a: "wideA", b: "wideB" };
  const LEAF_OF = { a: "wideChildrenA", b: "wideChildrenB" };

  it("have a witness for every outcome and every leaf, so that none can freeze the rollup", async () => {
    const missing = CAPACITY - 1;
    const free = (world: World) => world.ledger.opened(PAYER).leaf.balance;
    const owner = (id: number) => new World().leaf(id).l1Owner;
    const builds: Record<string, Build> = {
      "a deposit into a full tree": (world) => {
        world.ledger.nextId = CAPACITY;
        return honest(KIND.depositNew, { isValid: false, b: 0 });
      },
      "a deposit into the last place": (world) => {
        world.ledger.nextId = CAPACITY - 1;
        return honest(KIND.depositNew);
      },
      "a deposit with a key that is no point": () => withWord(KIND.depositNew, 2, FIELD_ORDER - 1n),
      "a deposit with no key": () => withWord(KIND.depositNew, 2, 0n),
      "a deposit of 2^96 - 1 wei": () => withWord(KIND.depositNew, 0, MAX_AMOUNT_WEI),
      "a deposit to another's leaf": () => withWord(KIND.depositTo, 1, 0xbadn),
      "a deposit to a leaf with a key that is no point": (world) => {
        world.set(RECIPIENT, { keyX: FIELD_ORDER - 1n });
        return honest(KIND.depositTo);
      },
      "a withdrawal of everything": () => withWord(KIND.forcedWithdraw, 0, WITHDRAW_ALL_WEI),
      "a withdrawal of all there is": (world) => withWord(KIND.forcedWithdraw, 0, free(world)),
      "a withdrawal of a wei too many": (world) => withWord(KIND.forcedWithdraw, 0, free(world) + 1n),
      "a withdrawal of everything from a leaf that has nothing": (world) => {
        world.set(PAYER, { balance: 0n });
        return withWord(KIND.forcedWithdraw, 0, WITHDRAW_ALL_WEI);
      },
      "a withdrawal from a leaf whose nonces are used up": (world) => {
        world.set(PAYER, { nonce: 2n ** 40n - 1n });
        return honest(KIND.forcedWithdraw);
      },
      "a key that is no point": () => withWord(KIND.forcedSetKey, 1, FIELD_ORDER - 1n),
      "a key taken away": () => withWord(KIND.forcedSetKey, 1, 0n),
    };
    for (const id of [0, 1, PAYER, DATANET, MODEL, missing, FREE]) {
      const depositWords = HONEST[KIND.depositTo]!.words!.with(1, owner(id) || 0xbadn);
      builds[`a deposit to leaf ${id}`] = () => honest(KIND.depositTo, { b: id, words: depositWords });
      for (const kind of forcedKinds) {
        for (const sender of [owner(id) || 0xbadn, 0xbadn]) {
          const words = HONEST[kind]!.words!.with(3, sender);
          builds[`${nameOf(kind)} on leaf ${id} by ${sender}`] = () => honest(kind, { a: id, words });
        }
      }
    }
    for (const [name, build] of Object.entries(builds)) {
      await expectAccepted("wide", build).catch((error: Error) => {
        throw new Error(`${name}: ${error.message}`, { cause: error });
      });
    }
  });

  it("need a supply below 2^96, since a credit above it has no witness", async () => {
    // OpenToken's supply is fixed below 2^90, so L1 cannot take such a deposit.
    const full =
      (excess: bigint): Build =>
      (world) => {
        world.set(RECIPIENT, { balance: MAX_AMOUNT_WEI - AMOUNT + excess });
        return honest(KIND.depositTo);
      };
    await refuses("an overflow", KIND.depositTo, {
      lawful: full(0n),
      forged: full(1n),
      at: CREDIT,
      code: "OP_BALANCE_OVERFLOW",
    });
    // L1 hashes amounts as uint96; the circuit does not rely on it, even for an entry that is not executed.
    const [, , word2, sender] = HONEST[KIND.depositTo]!.words!;
    await refuses("an amount above 96 bits", KIND.depositTo, {
      forged: () => honest(KIND.depositTo, { words: [2n ** 96n, 0xbadn, word2!, sender!] }),
      at: WEI,
    });
  });

  // Others: forced-claim-rewards-, forced-transfer-, forced-close-epoch- and forced-rights-forgeries.
  const oneLeafKinds = QUEUE_KINDS.filter((kind) => kind <= KIND.forcedSetOwner);
  describe.each(oneLeafKinds.map((kind) => [nameOf(kind), kind] as const))("%s", (_name, kind) => {
    const isForced = forcedKinds.includes(kind as never);
    const side = isForced ? ("a" as const) : ("b" as const);

    it("is not called invalid where it can be executed", async () => {
      // Attack: predicates are booleans of opened values. If the openings were free, a wrong path would make an entry
      // invalid.
      await refuses("without effect", kind, {
        forged: () => honest(kind, { isValid: false }),
        at: outcomeStatement(kind),
      });
      if (kind === KIND.depositNew) return;
      const forged = () => honest(kind, { isValid: false });
      await refuses("wrong sibling on the path", kind, {
        forged,
        tamper: (inputs) => setInput(inputs, LEAF_OF[side], [0, 1, 7], 5n),
        at: kind === KIND.forcedWithdraw ? EXECUTED : PATH,
      });
      await refuses("opened with another owner", kind, {
        forged,
        tamper: (inputs) => setInput(inputs, SIDE[side], [0, LEAF_FIELD.l1Owner], 0xbadn),
        at: LEAF,
      });
      const asMissing = (inputs: Inputs) => setInput(inputs, "wideIsMissing", [0, isForced ? 0 : 1], 1n);
      await refuses("said to be missing", kind, {
        forged,
        tamper: asMissing,
        at: isForced ? "isMissingA * a[i] === 0;" : "isEmptyB * b[i] === 0;",
      });
      await refuses("said to be missing, and opened as nothing", kind, {
        forged,
        tamper: (inputs) => {
          asMissing(inputs);
          for (let field = 0; field < 9; field++) setInput(inputs, SIDE[side], [0, field], 0n);
          if (kind === KIND.forcedWithdraw) setScratch(inputs, (2n ** 96n - AMOUNT) | (AMOUNT << 307n));
        },
        at: LEAF,
      });
      await refuses("missing, with a field that is not 0", kind, {
        forged: () => honest(kind, { [side]: CAPACITY - 1 }),
        tamper: (inputs) => setInput(inputs, SIDE[side], [0, LEAF_FIELD.body], 5n),
        at: isForced ? "isMissingA * a[i] === 0;" : "isEmptyB * b[i] === 0;",
      });
      await refuses("said to be missing halfway", kind, {
        forged,
        tamper: (inputs) => setInput(inputs, "wideIsMissing", [0, isForced ? 0 : 1], 2n),
        at: isForced ? "isMissingA * (1 - isMissingA) === 0;" : "isMissingB * (1 - isMissingB) === 0;",
      });
    });

    it("is not executed where it cannot be", async () => {
      if (kind === KIND.depositNew) {
        await refuses("full tree", kind, {
          forged: (world) => {
            world.ledger.nextId = CAPACITY;
            return honest(kind, { b: 0, isValid: true });
          },
          at: PATH,
        });
        return;
      }
      const position = isForced ? 3 : 1;
      await refuses("another owner", kind, {
        forged: () => honest(kind, { words: HONEST[kind]!.words!.with(position, 0xbadn), isValid: true }),
        at: outcomeStatement(kind),
      });
      await refuses("another owner, opened as the right one", kind, {
        forged: () => honest(kind, { words: HONEST[kind]!.words!.with(position, 0xbadn), isValid: true }),
        tamper: (inputs) => setInput(inputs, SIDE[side], [0, LEAF_FIELD.l1Owner], 0xbadn),
        at: LEAF,
      });
      const onMissing = (leaf: Leaf): Leaf => ({
        ...leaf,
        kind: LEAF_KIND.account,
        balance: AMOUNT,
        l1Owner: SENDER,
      });
      await refuses("a missing leaf, made by the way", kind, {
        forged: () =>
          honest(kind, {
            [side]: CAPACITY - 1,
            isValid: true,
            [isForced ? "effectA" : "effectB"]: onMissing,
          }),
        at: kind === KIND.forcedWithdraw ? EXECUTED : PATH,
      });
    });

    it("has exactly its effect: no fee, no nonce, no other field", async () => {
      const fields = [
        "nonce",
        "l1Owner",
        "keyX",
        "balance",
        "chain",
        "openAmount",
        "counters",
        "body",
      ] as const;
      const effectOn = side === "a" ? "effectA" : "effectB";
      for (const field of fields) {
        const forged = () =>
          honest(kind, { [effectOn]: (leaf: Leaf) => ({ ...leaf, [field]: leaf[field] + 1n }) });
        await refuses(field, kind, { forged, at: PATH });
      }
      await refuses("a fee", kind, {
        forged: () => honest(kind, { effectA: (leaf) => ({ ...leaf, balance: leaf.balance - FEE }) }),
        at: PATH,
      });
    });

    it("uses no field that is not its own", async () => {
      const { words = [] } = honest(kind);
      const used = kind === KIND.forcedWithdraw ? 5 : 4;
      for (let i = used; i < 7; i++) {
        await refuses(`word ${i}`, kind, {
          forged: () => honest(kind),
          tamper: (inputs) => setInput(inputs, "wideWords", [0, i], 1n),
          at: "words[j] * (1 - hasWord[j]) === 0;",
        });
      }
      expect(words.length).toBe(4);
      await refuses("amount", kind, {
        forged: () => honest(kind, { amountCode: 1n }),
        at: "(1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;",
      });
      const other = isForced ? { b: RECIPIENT } : { a: RECIPIENT };
      await refuses("the other leaf", kind, {
        forged: () => honest(kind, other),
        at: isForced
          ? "(1 - namesB - namesQueuedB - isNew) * bId === 0;"
          : "(1 - isSigned - isForced) * aId === 0;",
      });
      await refuses("the other leaf missing", kind, {
        forged: () => honest(kind),
        tamper: (inputs) => setInput(inputs, "wideIsMissing", [0, isForced ? 1 : 0], 1n),
        at: isForced ? "isMissingB * (1 - namesQueuedB) === 0;" : "isMissingA * (1 - isForced) === 0;",
      });
    });

    it("carries no signature, and takes no one's but the dummy's", async () => {
      await refuses("A's own signature", kind, {
        forged: () => honest(kind),
        tamper: (inputs) => {
          const { ledger } = new World();
          const signed = lawfulForm(ledger, honest(KIND.transfer)) as SignedOperation;
          for (const [i, value] of [signed.signature.r8x, signed.signature.s].entries())
            setInput(inputs, "wideRest", [0, 2 + i], value);
        },
        at: AUTHORISATION,
      });
    });
  });

  it("refuses an id of the sequencer's choice for a deposit", async () => {
    for (const b of [FREE + 1, RECIPIENT, 0]) {
      await refuses(`id ${b}`, KIND.depositNew, {
        forged: () => honest(KIND.depositNew, { b, isValid: true }),
        at: "isNew * (bId - nextId) === 0;",
      });
    }
  });

  it("refuses an executed amount other than the entry's, or than the whole balance", async () => {
    const kind = KIND.forcedWithdraw;
    // L1 pays what the word says, whatever the leaf loses.
    const paid = (words: readonly bigint[], executed: bigint) => () =>
      honest(kind, { words: [...words, executed] });
    const words = HONEST[kind]!.words!;
    const { balance } = new World().leaf(PAYER);
    for (const executed of [0n, AMOUNT - 1n, AMOUNT + 1n, balance]) {
      await refuses(`executed ${executed}`, kind, {
        lawful: paid(words, AMOUNT),
        forged: paid(words, executed),
        at: EXECUTED,
      });
    }
    const all = words.with(0, WITHDRAW_ALL_WEI);
    for (const executed of [0n, balance - 1n, balance + 1n, WITHDRAW_ALL_WEI]) {
      await refuses(`executed ${executed} of all`, kind, {
        lawful: paid(all, balance),
        forged: paid(all, executed),
        at: EXECUTED,
      });
    }
    const taken = (amountWei: bigint) => (leaf: Leaf) => ({ ...leaf, balance: leaf.balance + amountWei });
    for (const amountWei of [1n, -1n]) {
      await refuses(`the leaf loses ${-amountWei} more`, kind, {
        forged: () => honest(kind, { effectA: taken(amountWei) }),
        at: PATH,
      });
    }
  });

  it("refuses a comparison with the balance that is not the balance's", async () => {
    const kind = KIND.forcedWithdraw;
    const COMPARISON =
      "(isForcedWithdraw + isForcedTransfer + isForcedPay) * (balanceA - wantedWei + (1 << 96) - digits97) === 0;";
    await refuses("bit 96 cleared", kind, {
      forged: () => honest(kind, { isValid: false }),
      tamper: (inputs) => setInput(inputs, "wideScratchBits", [0, 96], 0n),
      at: COMPARISON,
    });
    await refuses("bit 96 carried into bit 95", kind, {
      forged: () => honest(kind, { isValid: false }),
      tamper: (inputs) => {
        setInput(inputs, "wideScratchBits", [0, 96], 0n);
        setInput(inputs, "wideScratchBits", [0, 95], 2n);
      },
      // The statement holds, and no bit may be 2.
      at: "scratchBits[i] * (1 - scratchBits[i]) === 0;",
    });
    await refuses("bit 96 set", kind, {
      forged: (world) =>
        honest(kind, { words: HONEST[kind]!.words!.with(0, world.leaf(PAYER).balance + 1n), isValid: true }),
      tamper: (inputs) => setInput(inputs, "wideScratchBits", [0, 96], 1n),
      at: COMPARISON,
    });
  });
});
