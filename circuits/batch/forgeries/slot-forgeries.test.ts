/**
 * Forged slots: every rule of every operation is broken once, in a batch that is lawful otherwise, and there must be
 * no witness. "Otherwise lawful" is `lawless-slot.ts`: effects, paths and signatures are made for the forged
 * operation, so that only the rule in question can refuse it. Each forgery names the statement that refuses, and the
 * test compares it with the one that circom's witness program reports: a forgery that fails for another reason fails
 * the test. With that statement taken out of the circuit, the forgery has a witness wherever no second rule covers it.
 * Where the model has the rule too, it must refuse with its code and change nothing.
 *
 * The lawful neighbour comes first: the kind's usual operation ("lawful operations"), or `lawful` of the forgery, at
 * the limit that the forgery passes by one. Refusals of shared parts by themselves are in slot-parts.test.ts.
 * Limits are tried by field aliases in word-alias-forgeries, packings in packing-forgeries. A false opening of a body or of
 * counters has a witness in the circuit that believes it, which every such forgery is shown to (forgery-check.ts).
 *
 * "Attack:" marks a rule without which a simpler design was broken.
 *
 * | rule | test, in this file (authorisation of *) or in the one named |
 * |---|---|
 * | A's key signs | authorisation of *: another signer, a leaf without a key … |
 * | Attack: the signature binds chain, rollup, kind, A, B, amount, words, nonce, limit | authorisation of *: another operation, domain, nonce … |
 * | Attack: the signature binds who B was: l1Owner and kind | authorisation of *: a B whose owner or kind … |
 * | a nonce is used once, in order, and ends | authorisation of *: a stale and a future nonce … |
 * | the fee is at most the signer's maximum | authorisation of *: a fee above the signer's maximum … |
 * | the fee is the kind's weight, exactly | authorisation of *: a fee that is one unit less or more … |
 * | A can pay all of the debit | authorisation of *: a debit of one wei more than A has |
 * | A and B change as stated, and in nothing else | authorisation of *: a wrong effect on A, … on B |
 * | A and B exist | authorisation of *: an A, a B that does not exist |
 * | unused fields are 0 | authorisation of *: fields that the kind does not use; queue-forgeries: uses no field … |
 * | a transfer to itself, to the fee leaf; no overflow | member-forgeries: Transfer |
 * | commits go to datanets; 40 bits of rows | member-forgeries: CommitData |
 * | payments go to ready, approved models, at the price, below the cap | member-forgeries: PayInference |
 * | Attack: ids are given in order, and cost the id fee; the position is free | create-forgeries: the chosen id, no id fee, a position that is taken |
 * | new leaves have an owner and start as stated | create-forgeries: the owner 0, an owner of 161 bits, a new leaf … |
 * | a new model's body is its words' | CreateModel's own |
 * | withdrawals name an address and an exact amount | datanet-forgeries: Withdraw |
 * | datanets publish; versions go up by one, dated by the batch | datanet-forgeries: PublishVersion |
 * | Attack: approval: the datanet's own version, N, owners, payees; 24 h; published | datanet-forgeries: ApproveModel |
 * | Attack: no second approval of other statics | datanet-forgeries: ApproveModel, other statics than those … |
 * | revocation by the model's datanet alone | datanet-forgeries: RevokeModel |
 * | the old key signs for the new one | datanet-forgeries: SetKey |
 * | Attack: every queue entry has a witness, whatever keys and leaves it meets | queue-forgeries: have a witness for every outcome … |
 * | Attack: a valid entry cannot be called invalid: path, opening, missing flag, comparison | queue-forgeries, *: is not called invalid … |
 * | an invalid entry cannot be executed | queue-forgeries, *: is not executed where it cannot be |
 * | the executed amount is the entry's, or all | queue-forgeries: an executed amount other than … |
 * | queue entries cost no fee and no nonce, and need no signature | queue-forgeries, *: has exactly its effect, carries no signature |
 * | nulls are a suffix and post 0 | batch-forgeries: a used slot behind a null one, a null slot that posts something |
 * | one kind a slot, no unknown one | batch-forgeries: values that are no bits …, no flag for a reserved kind |
 * | paths are those of the tree | batch-forgeries: swapped siblings … |
 * | the fee leaf exists, is opened as it is and gets the fees | batch-forgeries: another fee leaf …, states the root … |
 * | header fields have their widths | batch-forgeries: header fields beyond their widths |
 * | leaves have one of three tags | batch-forgeries: leaves of a kind that is none |
 * | Attack: presence comes from kinds, and every element is bound | batch-forgeries: binds every element …; batch-data.test.ts: challenge |
 *
 * | a model's counters and body are opened as they are, for every kind that turns its epochs | epoch-, settle-, claim-rewards-forgeries: another opening … |
 * | CloseEpoch: ready, nothing closed, something paid, by the model or after a day; exactly that epoch is closed | epoch-forgeries: CloseEpoch |
 * | Attack: Settle: J over the leaf's own closed epoch and accrued root, exactly the amounts that it shows | settle-forgeries |
 * | Attack: a Settle with voids is signed by the model, over J, and no void can be hidden | settle-forgeries: voids … |
 * | Attack: an Activation is signed by the model, over J and so over its cap | epoch-forgeries: no signature of the model … |
 * | Settle and Activation have no fee or nonce, and no signature of A's | settle-forgeries: a nonce of the treasury used, an amount field … |
 * | Attack: a second Settle, a second Activation | settle-forgeries: a model that has closed nothing; epoch-forgeries: a second one |
 * | ClaimRewards: the payee's own contributor or validator, the whole share, once | claim-rewards-forgeries |
 * | Attack: ForcedClaimRewards: executed exactly where the payee is A's, A the sender's and the model ready; whose a payee is cannot be hidden | forced-claim-rewards-forgeries |
 * | ForcedTransfer: executed exactly where A is the sender's and can pay, and B is the named owner's | forced-transfer-forgeries |
 * | ForcedCloseEpoch: executed exactly where anyone might close at the entry's own time | forced-close-epoch-forgeries |
 * | Attack: a forced payment, commit, publication, approval or revocation: executed exactly where the signed one would be, and A is the sender's | forced-rights-forgeries |
 * | a model has a price | create-forgeries: no price |
 * | Attack: nothing is claimed from a payee root that no activation has shown | claim-rewards-forgeries: a model without an activation … |
 */

import { isWhole } from "@openledger/foundation/testing/test-random";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recoverKeyY } from "../../field/curve/eddsa.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import type { Leaf } from "../../ledger/leaf.ts";
import { leafReference, type SignedOperation } from "../../ledger/operation.ts";
import { FIELD_ORDER, KIND, kindRule, TAG } from "../../protocol.ts";
import {
  AUTHORISATION,
  BALANCE,
  EFFECT,
  expectAccepted,
  expectForgeryFails,
  type Forgery,
  type Inputs,
  LEAF,
  loadForgeryTester,
  NO_KIND,
  setInput,
  showLeaf,
  tableSectionOf,
  tester,
} from "../../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  type Build,
  CAPACITY,
  CLAIM_REWARDS_GAIN,
  FEE,
  HONEST,
  honest,
  ID_FEE,
  nameOf,
  OPENING,
  PAYER,
  RECIPIENT,
  type Section,
  SIGNED_KINDS,
  secretOf,
  sectionsOf,
  World,
} from "../../testing/forgeries/forgery-world.ts";
import { type LawlessOperation, lawfulForm } from "../../testing/forgeries/lawless-slot.ts";
import { keyXOf, OPEN, TEST_DOMAIN } from "../../testing/random-ledger.ts";
import { executeSlot } from "../slot.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

/**
 * Statement of the fee limit. The table's slot shows it as 64 digits above the batch's fee: with other digits
 * than the signed ones the message differs.
 */
const FEE_LIMIT = {
  table: AUTHORISATION.table,
  wide: "feeRange.in <== maxFeePerUnit - feePerUnit;",
} as const;

describe("lawful operations", () => {
  it.each(Object.keys(HONEST).map((kind) => [nameOf(Number(kind)), Number(kind)] as const))(
    "%s is taken in every section that knows it",
    async (_name, kind) => {
      for (const section of sectionsOf(kind)) {
        const { readWitness } = await expectAccepted(section, () => honest(kind));
        expect(tester.checkConstraints(readWitness())).toBeNull();
      }
    },
  );
});

/** Kinds that stand for a section of the table each: under every rule in the core too. */
const OF_TABLE: readonly number[] = [KIND.transfer, KIND.commitData];

describe.each(SIGNED_KINDS.map((kind, position) => [nameOf(kind), kind, position] as const))(
  "authorisation of %s",
  (_name, kind, position) => {
    // The core tries each rule on every third of the other kinds, and each of them under every third rule.
    let ruleCount = 0;
    const refuses = (name: string, run: () => Promise<void>) => {
      const isTurn = (ruleCount++ + position) % 3 === 0;
      if (isWhole || isTurn || OF_TABLE.includes(kind)) it(`refuses ${name}`, run);
    };
    const rule = kindRule(kind)!;
    const a = HONEST[kind]!.a!;
    const fee = BigInt(rule.weight) * FEE;
    const debit =
      (rule.movesAmount ? AMOUNT : 0n) +
      fee +
      (rule.isCreate ? ID_FEE : 0n) +
      (kind === KIND.withdraw ? AMOUNT : 0n) -
      (kind === KIND.claimRewards ? CLAIM_REWARDS_GAIN : 0n);
    // Each test is a class of forgeries. The core tries the first of each, `npm run test:all` every one.
    let isTried = false;
    beforeEach(() => {
      isTried = false;
    });
    const forge = async (name: string, fields: Omit<Forgery, "rule" | "kind">) => {
      if (isTried && !isWhole) return;
      isTried = true;
      await expectForgeryFails({ rule: name, kind, ...fields });
    };
    const code = "OP_BAD_SIGNATURE";

    refuses("another signer, a leaf without a key and one with a key that is no point", async () => {
      await forge("another signer", { forged: () => honest(kind, { secret: 3n }), at: AUTHORISATION, code });
      for (const keyX of [0n, 5n]) {
        const forged: Build = (world) => {
          world.set(a, { keyX });
          return honest(kind);
        };
        await forge(`key ${keyX}`, { forged, at: AUTHORISATION, code });
      }
    });

    refuses("a signature over another operation, domain, nonce, fee limit or B", async () => {
      const { words = [], amountCode = 0n } = HONEST[kind]!;
      const others: [string, LawlessOperation["signed"]][] = [
        ["another chain or rollup", { domain: TEST_DOMAIN + 1n }],
        ["another kind", { kind: kind === KIND.transfer ? KIND.commitData : KIND.transfer }],
        ["another amount", { amountCode: amountCode + 1n }],
        ["another B", { b: PAYER }],
        ["another A", { a: 1 }],
        ["another maximum fee", { maxFeePerUnitWei: 3n * FEE }],
        ["a B that was another's", { bRef: 0xdeadn | (1n << 160n) }],
        ...words.map((word, i): [string, LawlessOperation["signed"]] => [
          `word ${i}`,
          { words: words.with(i, word + 1n) },
        ]),
      ];
      for (const [name, signed] of others) {
        // The claim is the honest operation; only what A signed differs. Narrow messages bind the payload alone.
        const forged = () => ({
          ...honest(kind),
          maxFeePerUnitWei: 2n * FEE,
          signed: { maxFeePerUnitWei: 2n * FEE, ...signed },
        });
        await forge(name, { forged, at: AUTHORISATION });
        const world = new World();
        const claimRewards = (operation: LawlessOperation) =>
          lawfulForm(world.ledger, operation) as SignedOperation;
        const claimed = {
          ...claimRewards({ ...honest(kind), maxFeePerUnitWei: 2n * FEE }),
          signature: claimRewards(forged()).signature,
        };
        expect(() => executeSlot(world.ledger, claimed, OPENING), name).toThrow(
          expect.objectContaining({ code }),
        );
      }
    });

    refuses("a stale and a future nonce, and the one that has no successor", async () => {
      for (const nonce of [4n, 6n]) {
        await forge(`nonce ${nonce}`, {
          forged: () => honest(kind, { signed: { nonce } }),
          at: AUTHORISATION,
          code: "OP_WRONG_NONCE",
        });
      }
      const at =
        (nonce: bigint): Build =>
        (world) => {
          world.set(a, { nonce });
          return honest(kind);
        };
      await forge("nonce exhausted", {
        lawful: at(2n ** 40n - 2n),
        forged: at(2n ** 40n - 1n),
        // The table's slot has 40 digits for the next nonce: it can only show another than was signed.
        at: { table: AUTHORISATION.table, wide: "nonceRange.in <== newNonceA;" },
        code: "OP_EXHAUSTED",
      });
    });

    refuses("a fee above the signer's maximum, also where the prover claims a higher maximum", async () => {
      const limited =
        (maxFeePerUnitWei: bigint): Build =>
        () =>
          honest(kind, { maxFeePerUnitWei });
      await forge("fee above the maximum", {
        lawful: limited(FEE),
        forged: limited(FEE - 1n),
        at: FEE_LIMIT,
        code: "OP_FEE_TOO_LOW",
      });
      const forged = () => honest(kind, { maxFeePerUnitWei: FEE, signed: { maxFeePerUnitWei: FEE - 1n } });
      await forge("maximum raised by the prover", { forged, at: AUTHORISATION });
      // maxFeePerUnit + 2^64 has no position in the message's packing.
      await forge("maximum above 64 bits", {
        forged: limited(FEE + 2n ** 64n),
        at: FEE_LIMIT,
        code: "OP_MALFORMED",
      });
    });

    refuses("a fee that is one unit less or more than the kind's", async () => {
      for (const weight of [BigInt(rule.weight) - 1n, BigInt(rule.weight) + 1n]) {
        await forge(`weight ${weight}`, { forged: () => honest(kind, { weight }), at: EFFECT });
      }
    });

    refuses("a debit of one wei more than A has", async () => {
      const holding =
        (balance: bigint): Build =>
        (world) => {
          world.set(a, { balance });
          return honest(kind);
        };
      await forge("balance short by a wei", {
        lawful: holding(debit),
        forged: holding(debit - 1n),
        at: BALANCE,
        code: "OP_BALANCE_TOO_LOW",
      });
    });

    refuses(
      "a wrong effect on A: a lower debit, the same nonce, another owner or key, more in any field",
      async () => {
        const effects: [string, (leaf: Leaf) => Leaf][] = [
          ["debit less by a wei", (leaf) => ({ ...leaf, balance: leaf.balance + 1n })],
          ["nonce kept", (leaf) => ({ ...leaf, nonce: leaf.nonce - 1n })],
          ["nonce raised twice", (leaf) => ({ ...leaf, nonce: leaf.nonce + 1n })],
          ["owner", (leaf) => ({ ...leaf, l1Owner: leaf.l1Owner + 1n })],
          ["key", (leaf) => ({ ...leaf, keyX: leaf.keyX + 1n })],
          ["chain", (leaf) => ({ ...leaf, chain: leaf.chain + 1n })],
          ["open amount", (leaf) => ({ ...leaf, openAmount: leaf.openAmount + 1n })],
          ["counters", (leaf) => ({ ...leaf, counters: leaf.counters + 1n })],
          ["body", (leaf) => ({ ...leaf, body: leaf.body + 1n })],
          ["kind", (leaf) => ({ ...leaf, kind: (leaf.kind % 3) + 1 })],
        ];
        for (const [name, effectA] of effects)
          await forge(name, { forged: () => honest(kind, { effectA }), at: EFFECT });
      },
    );

    refuses("an A that does not exist", async () => {
      const forged: Build = () => honest(kind, { a: CAPACITY - 1, secret: secretOf(a) });
      // Rules about A's leaf stand before its balance in a wide slot.
      const first = kind === KIND.claimRewards ? "NodeRead8: " : null;
      const ofDatanets: number[] = [KIND.publishVersion, KIND.approveModel, KIND.revokeModel];
      const atWide = ofDatanets.includes(kind) ? "(tagA - TAG_DATANET()) === 0;" : (first ?? BALANCE.wide);
      // In the table a leaf's row, or no term of its key, refuses: the slot itself opens none.
      const at = { table: [NO_KIND, AUTHORISATION.table], wide: atWide };
      await forge("missing A", { forged, at, code: "OP_UNKNOWN_LEAF" });
      await forge("missing A said to be missing", {
        sections: ["wide"],
        forged,
        tamper: (inputs) => setInput(inputs, "wideIsMissing", [0, 0], 1n),
        at: "isMissingA * (1 - isForced) === 0;",
      });
      const keyX = keyXOf(secretOf(a));
      const shown = (tag: bigint) => (inputs: Inputs, section: Section) => {
        const fields = { tag, nonce: 0n, keyX, balance: 1000n * OPEN };
        showLeaf(inputs, section, { side: "A", id: CAPACITY - 1 }, fields);
        if (section === "wide") setInput(inputs, "wideRest", [0, 1], recoverKeyY(keyX)!);
        else
          for (const [i, value] of [keyX, recoverKeyY(keyX)!].entries())
            setInput(inputs, `${tableSectionOf(kind)}Signature`, [0, i], value);
      };
      if (a !== PAYER) return;
      const refusedBy = (rule: string) => ({ table: rule, wide: first ?? rule });
      const rich = { forged, tamper: shown(257n), at: refusedBy(LEAF) };
      await forge("missing A shown as a rich account", rich);
      // Without this rule Poseidon's inverse finds nine fields that hash to 0, or to any leaf.
      await forge("A of a kind that is none", { forged, tamper: shown(300n), at: refusedBy(NO_KIND) });
    });

    refuses("fields that the kind does not use", async () => {
      const usesAmount = rule.movesAmount || kind === KIND.commitData;
      if (!usesAmount) {
        await forge("amount", {
          forged: () => honest(kind, { amountCode: 1n }),
          at: "(1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;",
          code: "OP_MALFORMED",
        });
      }
      if (!rule.usesB) {
        await forge("B", {
          forged: () => honest(kind, { b: RECIPIENT }),
          at: "(1 - namesB - namesQueuedB - isNew) * bId === 0;",
          code: "OP_MALFORMED",
        });
      }
      const { words = [] } = honest(kind);
      if (words.length < 7) {
        await forge("a word too many", {
          sections: ["wide"],
          forged: () => honest(kind, { words: [...words, 1n] }),
          at: "words[j] * (1 - hasWord[j]) === 0;",
          code: "OP_MALFORMED",
        });
      }
      // A transfer's slot in the table has no payload to show.
      if (rule.isNarrow && words.length === 0)
        await forge("a signature over a payload", {
          sections: ["table"],
          forged: () => honest(kind, { signed: { words: [1n] } }),
          at: AUTHORISATION,
        });
    });

    if (rule.usesB && !rule.isCreate) {
      refuses("a B whose owner or kind is not the one that A signed for", async () => {
        // Attack: an id alone pays anyone who holds it when the operation is executed.
        const b = HONEST[kind]!.b!;
        for (const change of [{ l1Owner: 0xdeadn }, { kind: (new World().leaf(b).kind % 3) + 1 }]) {
          const seen = leafReference({ ...new World().leaf(b), ...change });
          await forge(`B was ${Object.keys(change)[0]}`, {
            forged: () => honest(kind, { signed: { bRef: seen } }),
            at: AUTHORISATION,
            code,
          });
        }
      });

      refuses("a B that does not exist", async () => {
        const b = CAPACITY - 2;
        const isApproval = kind === KIND.approveModel || kind === KIND.revokeModel;
        const wantsKind = kind !== KIND.transfer;
        const isOfModels = isApproval || kind === KIND.closeEpoch || kind === KIND.claimRewards;
        const statement = isOfModels ? " === 0;" : "* (tagB - TAG_";
        await forge("missing B", {
          forged: () => honest(kind, { b }),
          at: { table: NO_KIND, wide: wantsKind ? statement : AUTHORISATION.wide },
          code: "OP_UNKNOWN_LEAF",
        });
        const tag = kind === KIND.commitData ? 258n : wantsKind ? 259n : 257n;
        if (!wantsKind) {
          await forge("missing B shown as a leaf of the right kind", {
            forged: () => honest(kind, { b, signed: { bRef: (tag - TAG.leaf) << 160n } }),
            tamper: (inputs, section) => {
              showLeaf(inputs, section, { side: "B", id: b }, { tag });
              if (section === "table") setInput(inputs, "transferBRef", [0], (tag - TAG.leaf) << 160n);
            },
            at: LEAF,
          });
        }
        await forge("missing B said to be missing", {
          sections: ["wide"],
          forged: () => honest(kind, { b }),
          tamper: (inputs) => setInput(inputs, "wideIsMissing", [0, 1], 1n),
          at: "isMissingB * (1 - namesQueuedB) === 0;",
        });
        if (kind !== KIND.transfer) return;
        await forge("missing B that A has signed for: the amount would be gone", {
          sections: ["wide"],
          forged: () => honest(kind, { b, signed: { bRef: FIELD_ORDER - (TAG.leaf << 160n) } }),
          tamper: (inputs) => setInput(inputs, "wideIsMissing", [0, 1], 1n),
          at: "isMissingB * (1 - namesQueuedB) === 0;",
        });
      });

      refuses("a wrong effect on B, in any field", async () => {
        const fields = [
          "nonce",
          "l1Owner",
          "keyX",
          "balance",
          "chain",
          "openAmount",
          "counters",
          "body",
          "kind",
        ] as const;
        for (const field of fields) {
          const effectB = (leaf: Leaf): Leaf => ({
            ...leaf,
            [field]: field === "kind" ? (leaf.kind % 3) + 1 : leaf[field] + 1n,
          });
          await forge(`B's ${field}`, { forged: () => honest(kind, { effectB }), at: EFFECT });
        }
        const unchanged = new World().leaf(HONEST[kind]!.b!);
        await forge("B unchanged", { forged: () => honest(kind, { effectB: () => unchanged }), at: EFFECT });
      });
    }
  },
);
