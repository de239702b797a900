/** Tensor of a model's weights, whatever file has it: load-model.ts reads safetensors and GGUF by it. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Rows and columns are the other way round than in the published model. */
  readonly isFlipped?: true;
  /**
   * Numbers from number `first` on, as 32-bit floats: whole rows, or parts of 2^20 numbers of a tensor in its own order.
   * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
   */
  read(first: number, count: number): Promise<Float32Array>;
}
