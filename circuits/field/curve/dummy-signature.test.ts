import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../poseidon.ts";
import { DUMMY } from "./dummy-signature.ts";
import {
  DUMMY_MESSAGE,
  DUMMY_SECRET,
  derivePublicKey,
  recoverPublicKey,
  signMessage,
  verifySignature,
} from "./eddsa.ts";

beforeAll(initPoseidon);

describe("DUMMY", () => {
  it("is the public secret's key and its signature over zeros", () => {
    const { x, y } = derivePublicKey(DUMMY_SECRET);
    expect(DUMMY).toEqual({ keyX: x, keyY: y, signature: signMessage(DUMMY_SECRET, DUMMY_MESSAGE) });
  });

  it("verifies, so that an unsigned slot always has a witness", () => {
    expect(recoverPublicKey(DUMMY.keyX)).toEqual({ x: DUMMY.keyX, y: DUMMY.keyY });
    expect(verifySignature({ keyX: DUMMY.keyX, message: DUMMY_MESSAGE, signature: DUMMY.signature })).toBe(
      true,
    );
    expect(verifySignature({ keyX: DUMMY.keyX, message: 0n, signature: DUMMY.signature })).toBe(false);
  });
});
