/** Poseidon for processors whose WebAssembly has no fused multiply-add: circomlibjs'. */
export const PORTABLE_NAME = "circomlibjs";

export async function createPortableHash(): Promise<(tag: bigint, inputs: readonly bigint[]) => bigint> {
  // Loaded only here: in a worker thread circomlibjs' own thread library takes over the thread's messages.
  const { buildPoseidon } = await import("circomlibjs");
  const poseidon = await buildPoseidon();
  return (tag, inputs) => poseidon.F.toObject(poseidon([...inputs], tag, 1));
}
