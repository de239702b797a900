/** The numbered list that a long drill prints, with the time of each step. */

interface DoneStep {
  readonly number: number;
  readonly title: string;
  readonly seconds: number;
}

export class Steps {
  readonly done: DoneStep[] = [];
  readonly #print: (line: string) => void;
  readonly #startedAtMs = performance.now();
  #number = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** A fact within a step. */
  readonly tell = (text: string): void => {
    const seconds = Math.round((performance.now() - this.#startedAtMs) / 1_000);
    this.#print(`${String(seconds).padStart(6)} s     ${text}`);
  };

  /** @param run returns what there is to say of it, or nothing */
  async take<T>(title: string, run: () => Promise<T>): Promise<T> {
    const number = ++this.#number;
    const startedAtMs = performance.now();
    const at = Math.round((startedAtMs - this.#startedAtMs) / 1_000);
    this.#print(`${String(at).padStart(6)} s ${String(number).padStart(2)}. ${title}`);
    const result = await run();
    const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
    this.done.push({ number, title, seconds });
    return result;
  }

  summary(): string[] {
    return this.done.map(
      ({ number, seconds, title }) =>
        `${String(number).padStart(4)}. ${`${seconds} s`.padStart(9)}  ${title}`,
    );
  }
}
