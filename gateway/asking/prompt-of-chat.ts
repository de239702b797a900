/**
 * Turns the chat of a request (messages, tools) into the one text that the model is asked and paid for, by the chat template of the
 * gateway's copy of the model. OpenAI's routes and MCP's tools call it.
 */
import type { Chat } from "@openledger/attribution/model/model-chat";
import { requireRecipeForm, type WantedForm } from "@openledger/models/serving/billing/recipe-form";
import { invalidRequest } from "@openledger/models/serving/openai/openai-requests";
import type { TextRecipe } from "@openledger/models/tuning/recipe/text-recipe";
import type { OpenedModel } from "./checkable-models.ts";

/**
 * Makes the prompt whose hash the receipt has: by the base's chat template; without a template the chat's one message.
 * @throws SRV_BAD_REQUEST, MOD_CHAT_REFUSED
 */
export function promptOfChat({ model }: OpenedModel, chat: Chat): string {
  if (model.chat !== undefined) return model.chat.promptOf(chat);
  const [first, ...others] = chat.messages;
  if ((chat.tools ?? []).length > 0)
    throw invalidRequest("tools", "the model has no template for tools", "unsupported_parameter");
  if (others.length === 0 && first?.role === "user" && first.content !== null) return first.content;
  throw invalidRequest(
    "messages",
    "the model has no chat template: it takes one message of the user",
    "unsupported_value",
  );
}

/** A label is the likeliest one, and is given whole. */
const LABEL_FORM = { answers: { answerTokens: 1, temperature: 0 } } as Pick<TextRecipe, "answers">;

/** Refuses a length, a temperature or an end other than the recipe's, as the model's server does. @throws SRV_BAD_REQUEST */
export function requireForm({ model, recipe }: OpenedModel, expected: WantedForm): void {
  const writes = model.chat !== undefined;
  requireRecipeForm(expected, writes ? (recipe as unknown as Pick<TextRecipe, "answers">) : LABEL_FORM);
}
