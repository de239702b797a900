/** Node of L1 that makes blocks, and can remove the newest ones. */
export interface L1Node {
  readonly url: string;
  /** Why it makes no blocks any more. */
  readonly failure?: Error | null;
  /** Starts to make a block each second, if the node did not before; with automine it makes none. */
  begin(): Promise<void>;
  mine(blocks: number): Promise<void>;
  /** Removes this many of the newest blocks, and makes as many empty ones in their place. */
  reorganise(depthBlocks: number): Promise<void>;
  stop(): Promise<void>;
}

export interface L1NodeOptions {
  /** Folder of its data and its log. */
  readonly folder: string;
  readonly tell?: ((text: string) => void) | undefined;
}
