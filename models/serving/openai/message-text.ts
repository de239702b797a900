/** Tells calls of tools from text while an answer comes: completion-service.ts passes on what is certainly text. */
import type { ChatTool, ToolCall } from "@openledger/attribution/model/model-chat";
import { answerMessage, textBeforeCalls } from "../../engine/tokens/tool-calls.ts";
import type { GiveText } from "./make-answer.ts";

/** Text of one answer; without tools it is passed on as it comes. */
export class MessageText {
  readonly #tools: readonly ChatTool[];
  readonly #give: GiveText;
  #text = "";
  #given = 0;

  constructor(tools: readonly ChatTool[], give: GiveText) {
    this.#tools = tools;
    this.#give = give;
  }

  readonly give: GiveText = (more, marks) => {
    if (this.#tools.length === 0) return this.#give(more, marks);
    this.#text += more;
    this.#giveUpTo(textBeforeCalls(this.#text));
  };

  /** Passes on the rest, if it is text. @returns the calls of tools that the answer consists of */
  end(): readonly ToolCall[] {
    const { content, toolCalls } = answerMessage(this.#text, this.#tools);
    // Text that was given stays: a message before calls ends there.
    if (toolCalls.length === 0) this.#giveUpTo(this.#text.length);
    else if (content !== null)
      this.#giveUpTo(Math.max(this.#given, this.#text.indexOf(content) + content.length));
    return toolCalls;
  }

  #giveUpTo(length: number): void {
    if (length <= this.#given) return;
    const more = this.#text.slice(this.#given, length);
    this.#given = length;
    this.#give(more, []);
  }
}
