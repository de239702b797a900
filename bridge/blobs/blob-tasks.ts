/** Tasks of the bridge's blob thread (blob-thread.ts): they compute a blob with its KZG proof, and the proofs of its cells. */
import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";
import { MIN_NATIVE_ELEMENTS, type NativeKzg, openNativeKzg } from "./native-kzg.ts";

let opening: Promise<NativeKzg | null> | undefined;

const native = (): Promise<NativeKzg | null> => {
  opening ??= openNativeKzg();
  return opening;
};

export const prepare = async (): Promise<void> => {
  await native();
};

export const blob = async (elements: readonly bigint[]) => {
  const engine = elements.length < MIN_NATIVE_ELEMENTS ? await opening : await native();
  return engine?.blob(elements) ?? blobWithProof(elements);
};

export const cells = async (bytes: `0x${string}`) => (await native())?.cells(bytes) ?? cellProofsOf(bytes);
