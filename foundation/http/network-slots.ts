/**
 * Bound on how many connections or slots one client network holds at a time; protect-server.ts counts connections with it, the
 * sequencer's feed its listeners.
 */
export class NetworkSlots {
  readonly maxOfNetwork: number;
  readonly #taken = new Map<string, number>();

  constructor(maxOfNetwork: number) {
    this.maxOfNetwork = maxOfNetwork;
  }

  hasRoom(network: string): boolean {
    return (this.#taken.get(network) ?? 0) < this.maxOfNetwork;
  }

  /** @returns whether there was one; what was taken has to be freed */
  take(network: string): boolean {
    if (!this.hasRoom(network)) return false;
    this.#taken.set(network, (this.#taken.get(network) ?? 0) + 1);
    return true;
  }

  free(network: string): void {
    const left = (this.#taken.get(network) ?? 0) - 1;
    if (left > 0) this.#taken.set(network, left);
    else this.#taken.delete(network);
  }
}
