// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @notice What a traced model's statics bind besides its files' SHA-256. @param claimant Who claims its queries.
/// @param inputs, programs, programCount As in a claim. @param featureCount Numbers of a query as it is traced.
/// @param rest What a receipt's query has behind them. @param mostTokens Of an answer.
/// @param endToken What an answer with fewer ends with; 2^32 where none does.
/// @param vocabulary Root over what its tokens spell (PromptTokens); 0 where prompts' tokens are not compared.
/// @param vocabularySize Tokens that it has. @param joining Where neighbours are joined: PromptTokens.
/// @param isLikeliest Whether each token of an answer is the likeliest one; else they are drawn, and not compared.
/// @param rules Of the rows of G, where these are posted before the activation (ModelCommitments): 1 | 2 where near-duplicates share |
/// the clip's quantile, times 2^40, from the bit 8 on. 0 where nothing is posted of them.
struct Traced {
    address claimant;
    bytes32[] inputs;
    bytes32 programs;
    uint256 programCount;
    uint16 featureCount;
    uint8 rest;
    uint32 mostTokens;
    uint64 endToken;
    bytes32 vocabulary;
    uint32 vocabularySize;
    uint8 joining;
    bool isLikeliest;
    uint256 rules;
}
