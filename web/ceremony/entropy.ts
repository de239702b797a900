/** What a person's hands add to the system's randomness: where the pointer was, which keys, and when. In memory alone. */
import { signal } from "@preact/signals";

/** Movements that fill the bar. */
export const WANTED_EVENTS = 200;
const MAX_EVENTS = 4_000;

export class HandEntropy {
  readonly count = signal(0);
  readonly #values = new Float64Array(3 * MAX_EVENTS);
  readonly #stop: () => void;

  constructor(target: Pick<Window, "addEventListener" | "removeEventListener">) {
    const onPointer = ({ clientX, clientY, timeStamp }: PointerEvent) =>
      this.#add(clientX, clientY, timeStamp);
    const onKey = ({ keyCode, timeStamp }: KeyboardEvent) => this.#add(keyCode, -1, timeStamp);
    target.addEventListener("pointermove", onPointer);
    target.addEventListener("keydown", onKey);
    this.#stop = () => {
      target.removeEventListener("pointermove", onPointer);
      target.removeEventListener("keydown", onKey);
    };
  }

  /** All that was claimed. Then it is forgotten here. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#values.slice().buffer);
    this.#values.fill(0);
    this.#stop();
    return bytes;
  }

  #add(a: number, b: number, atMs: number): void {
    this.#values.set([a, b, atMs + performance.now() / 1e6], 3 * (this.count.value % MAX_EVENTS));
    this.count.value++;
  }
}
