import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { KIND } from "../protocol.ts";
import { messageHash } from "./operation.ts";

beforeAll(initPoseidon);

const transfer = () => ({
  ...{ kind: KIND.transfer, a: 2, b: 3, amountCode: 5n, nonce: 7n, maxFeePerUnitWei: 9n },
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
});
