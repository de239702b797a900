/** Kinds of leaves as people say them. */
export const KIND_NAMES = { account: "Account", datanet: "Datanet", model: "Model" } as const;
