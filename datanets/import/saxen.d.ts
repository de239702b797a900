/** Types of the parts of the library `saxen` that are used here: it has none of its own. */
declare module "saxen" {
  export class Parser {
    on(
      event: "openTag",
      run: (name: string, attributes: () => Record<string, string>, decode: (text: string) => string) => void,
    ): this;
    on(event: "closeTag", run: (name: string) => void): this;
    on(event: "text", run: (text: string, decode: (text: string) => string) => void): this;
    on(event: "cdata", run: (text: string) => void): this;
    on(event: "error" | "warn", run: (error: Error) => void): this;
    parse(xml: string): void;
  }
}
