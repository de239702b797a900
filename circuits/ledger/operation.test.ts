import { hex32 } from "@openledger/foundation/hex";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { KIND } from "../protocol.ts";
import { hashMessages, messageHash, messageName } from "./operation.ts";

beforeAll(initPoseidon);

const transfer = () => ({
  kind: KIND.transfer,
  a: 2,
  b: 3,
  amountCode: 5n,
  nonce: 7n,
  maxFeePerUnitWei: 9n,
  words: [] as bigint[],
});

describe("messageHash", () => {
  it("gives a signed operation's message for each context and content, whatever it was asked before", () => {
    const signed = { ...transfer(), signature: { r8x: 1n, r8y: 2n, s: 3n } };
    const contexts = [
      { domain: 1n, bRef: 2n },
      { domain: 1n, bRef: 3n },
      { domain: 2n, bRef: 2n },
    ];
    const changes = [
      {},
      { nonce: 8n },
      { kind: KIND.setKey, words: [4n] },
      { kind: KIND.setKey, words: [5n] },
    ];
    const seen = new Set<bigint>();
    for (const change of [...changes, ...changes]) {
      for (const context of [...contexts, ...contexts]) {
        const message = messageHash({ ...signed, ...change }, context);
        expect(message).toBe(messageHash({ ...transfer(), ...change }, context));
        seen.add(message);
      }
    }
    expect(seen.size).toBe(contexts.length * changes.length);
  });

  it("is that of the operation as it is now, which is kept only where nothing of it can change", () => {
    const operation = { ...transfer(), kind: KIND.setKey as number, words: [4n] };
    const contexts = [
      { domain: 1n, bRef: 2n },
      { domain: 2n, bRef: 2n },
      { domain: 1n, bRef: 3n },
    ];
    const steps = [
      () => {},
      () => Object.assign(operation, { nonce: 8n }),
      () => Object.freeze(operation),
      () => Object.assign(operation.words, [5n]),
      () => Object.freeze(operation.words),
      () => hashMessages(contexts.map((context) => ({ operation: { ...operation, signature }, context }))),
    ];
    const signature = { r8x: 1n, r8y: 2n, s: 3n };
    for (const step of steps) {
      step();
      for (const context of [...contexts, ...contexts.toReversed()]) {
        const hash = messageHash({ ...operation, words: [...operation.words] }, context);
        expect(messageName(operation, context)).toBe(hex32(hash));
        expect(messageHash(operation, context)).toBe(hash);
      }
    }
  });
});
