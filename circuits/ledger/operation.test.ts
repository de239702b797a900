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
  it("gives a frozen operation's message for each context, whatever it was asked before", () => {
    const frozen = Object.freeze({ ...transfer(), words: Object.freeze([]) as readonly bigint[] });
    const contexts = [
      { domain: 1n, bRef: 2n },
      { domain: 1n, bRef: 3n },
      { domain: 2n, bRef: 2n },
    ];
    for (const context of [...contexts, ...contexts]) {
      expect(messageHash(frozen, context)).toBe(messageHash(transfer(), context));
      expect(messageHash(frozen, context)).toBe(messageHash(transfer(), context));
    }
  });

  it("remembers nothing of an operation that may still change", () => {
    const context = { domain: 1n, bRef: 2n };
    const changing = transfer();
    const before = messageHash(changing, context);
    changing.nonce += 1n;
    expect(messageHash(changing, context)).not.toBe(before);
    const shallow = { ...transfer(), kind: KIND.setKey, words: [4n] };
    Object.freeze(shallow);
    const first = messageHash(shallow, context);
    shallow.words[0] = 5n;
    expect(messageHash(shallow, context)).not.toBe(first);
  });
});
