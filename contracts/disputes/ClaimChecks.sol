// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./base/IDisputes.sol";
import {ITraceGame} from "./ITraceGame.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {Openings} from "./base/Openings.sol";
import {PromptTokens} from "./texts/PromptTokens.sol";
import {QueryBytes} from "./texts/QueryBytes.sol";
import {TextTrees} from "./texts/TextTrees.sol";
import {Traced} from "./base/Traced.sol";
import {WordBorders} from "./texts/WordBorders.sol";
import {WordTrees} from "./base/WordTrees.sol";

/// @title What a claim of a language model has to be, computed from what is shown
/// @notice docs/explanation/fault-proofs.md. LedgerTraces asks it. It has no state and holds nothing.
contract ClaimChecks {
    // Tags and packings of docs/reference/ledger.md.
    uint256 private constant NODE = 2;
    uint256 private constant MODEL_BODY = 9;
    uint256 private constant RECEIPT = 18;
    uint256 private constant TRACED = 22;
    uint256 private constant MODEL_LEAF = 259;
    uint256 private constant TREE_DEPTH = 8;
    uint256 private constant CHUNK = 15;
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant MOST_INPUTS = 64;
    /// @dev A path of 20 words opens any of it.
    uint256 private constant MOST_VOCABULARY = 1 << 20;
    /// @dev log2 of 64: `approve` of more would leave little room below what a transaction may cost.
    uint256 private constant MOST_DRAW_BITS = 6;
    /// @dev Operations at a program's end of a row: TraceGame.
    uint256 private constant ROW_OPS = 3;
    /// @notice Of prompt, answer, tokens, lengths and query. What refutes a claim repeats its prompt, tokens and lengths, and opens
    /// the vocabulary: 32 KiB are left for that, of the 128 KiB of a transaction that nodes pass on.
    uint256 public constant MOST_CLAIM_BYTES = 96 * 1_024;

    /// @notice What a model's leaf holds. @param fields All but its body. @param parts Of the statics: columnsCommitment,
    /// SHA-256 of the files modulo R, ownersCommitment, payeeRoot, binding, split. @param rest Of the body.
    struct ModelLeaf {
        uint256[7] fields;
        uint256[6] parts;
        uint256[4] rest;
    }

    /// @notice What a receipt hashes besides the statics. @param query (entry + 255) / 2 of each traced entry.
    /// @param lengths Bytes of the prompt that each of its tokens spells, two bytes each; empty where the model has no
    /// vocabulary.
    struct Receipt {
        uint256 payerId;
        uint256 salt;
        bytes prompt;
        bytes answer;
        bytes query;
        bytes lengths;
    }

    LedgerMath public immutable math;
    WordBorders public immutable borders;

    /// @notice Rollup, model, roots or receipt are not the claim's, or they are too large to be refuted.
    error LedgerTracesClaimInvalid();
    error LedgerTracesRootMismatch(uint256 expected, uint256 actual);
    /// @notice The model's activation was taken: what settles its epochs is settled.
    error LedgerTracesBegun();
    /// @notice The model promises no claims, or not these.
    error LedgerTracesOtherModel();
    /// @notice What the game is to be about is not what the model commitment says of this row.
    error LedgerTracesRowInvalid(uint256 row);

    constructor(LedgerMath math_, WordBorders borders_) {
        (math, borders) = (math_, borders_);
    }

    /// @notice What a model of a rollup with this state is, and the word of its Activation.
    /// @param leaf, path It in the state. @param cap Most payments of an epoch, as the Activation states.
    function modelOf(
        uint256 modelId,
        Traced calldata traced,
        ModelLeaf calldata leaf,
        uint256[8][] calldata path,
        uint256 root,
        uint256 cap
    ) external view returns (uint256 statics, bytes32 tracing, uint256 columnCount, uint256 drawBits, uint256 word) {
        tracing = keccak256(abi.encode(traced));
        uint256[6] calldata parts = leaf.parts;
        statics = math.markedStatics(
            TRACED, parts[0], parts[1], uint256(tracing) % R, [parts[2], parts[3], parts[4], parts[5]]
        );
        uint256 body =
            math.hash(MODEL_BODY, _five(statics, leaf.rest[0], leaf.rest[1], leaf.rest[2], leaf.rest[3]));
        uint256 reached = path.length == TREE_DEPTH
            ? math.rootOf(NODE, modelId, math.leafHash(MODEL_LEAF, leaf.fields, body), path)
            : 0;
        if (reached != root || root == 0) revert LedgerTracesRootMismatch(root, reached);
        // Attack: registered only once it settles by draws, it refuses a batch in proof. A number and the same plus R are one
        // to the hash, and R is odd.
        if ((leaf.fields[6] % R) & 1 == 1) revert LedgerTracesBegun();
        uint256 binding = parts[4];
        (columnCount, drawBits) = (binding >> 115, binding >> 112 & 7);
        // 12 and 3 bits. Attacks: statics of numbers modulo R have other bits above. A model whose claims, or what refutes
        // them, have no room in a transaction.
        bool isTaken = binding >> 127 == 0 && traced.featureCount != 0 && traced.featureCount <= columnCount
            && drawBits <= MOST_DRAW_BITS && traced.inputs.length <= MOST_INPUTS
            && traced.vocabularySize <= MOST_VOCABULARY;
        if (!isTaken) revert LedgerTracesOtherModel();
        word = math.activation(modelId, statics, cap, parts[3]);
    }

    /// @notice The receipt that a statement claims, of a model of these statics.
    /// @dev Attack: a prompt that a contract puts together, so long that no transaction repeats it.
    function receiptOf(
        ITraceGame.Statement calldata statement,
        Traced calldata traced,
        Receipt calldata receipt,
        uint256 statics,
        uint256 columnCount
    ) external view returns (uint256) {
        uint256 size = receipt.prompt.length + receipt.answer.length + receipt.query.length + receipt.lengths.length
            + statement.tokens.length;
        bool isClaim = size <= MOST_CLAIM_BYTES && _isModels(statement, traced) && receipt.payerId >> 24 == 0
            && receipt.query.length == traced.featureCount && QueryBytes.root(receipt.query) == statement.query
            && QueryBytes.isAnswer(
                receipt.answer, statement.tokens, statement.promptCount, traced.mostTokens, traced.endToken
            )
            && PromptTokens.isWhole(
                receipt.prompt, receipt.lengths, statement.tokens, statement.promptCount, traced.vocabularySize
            );
        if (!isClaim) revert LedgerTracesClaimInvalid();
        return _receipt(statics, columnCount, traced.rest, receipt);
    }

    /// @notice Whether a token of a prompt spells what the prompt has there, as characters, and within one piece.
    function isSpelled(
        ITraceGame.Statement calldata statement,
        Traced calldata traced,
        bytes calldata prompt,
        bytes calldata lengths,
        uint256 place,
        PromptTokens.Entry calldata entry
    ) external view returns (bool) {
        return place >= statement.promptCount
            || (PromptTokens.spells(
                    PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize),
                    QueryBytes.tokenAt(statement.tokens, place),
                    PromptTokens.partOf(prompt, lengths, place),
                    entry
                ) && PromptTokens.areCharacters(borders, prompt, lengths, place)
                && !PromptTokens.spansCut(borders, traced.joining, prompt, lengths, place, entry));
    }

    /// @notice Whether the tokenizer leaves a token of a prompt and the next one apart.
    function isApart(
        ITraceGame.Statement calldata statement,
        Traced calldata traced,
        bytes calldata prompt,
        bytes calldata lengths,
        uint256 place,
        PromptTokens.Entry calldata joined,
        PromptTokens.Entry[] calldata left,
        PromptTokens.Entry[] calldata right
    ) external view returns (bool) {
        return place + 1 >= statement.promptCount
            || !PromptTokens.isInside(borders, traced.joining, prompt, PromptTokens.offsetOf(lengths, place + 1))
            || !PromptTokens.areJoined(
                PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize),
                [QueryBytes.tokenAt(statement.tokens, place), QueryBytes.tokenAt(statement.tokens, place + 1)],
                joined,
                left,
                right
            );
    }

    /// @notice Reverts unless a statement says of the model commitment's row what the model commitment says. @param tokens, numbers Its leaves.
    function requireRow(
        uint256 row,
        IDisputes.Statement calldata posted,
        Traced calldata traced,
        ITraceGame.Statement calldata statement,
        IDisputes.Opening calldata tokens,
        IDisputes.Opening calldata numbers
    ) external pure {
        TextTrees.requireTraced(posted, traced);
        TextTrees.requireOpening(posted, IDisputes.Tree.Tokens, row, tokens);
        TextTrees.requireOpening(posted, IDisputes.Tree.Map, row, numbers);
        bool isRow = statement.modelId == posted.modelId && _isModels(statement, traced)
            && statement.opCount >= ROW_OPS && _areTokens(statement, tokens.data)
            && numbers.data.length == 4 * uint256(posted.bucketCount)
            && _rootOfFloats(numbers.data) == statement.query;
        if (!isRow) revert LedgerTracesRowInvalid(row);
    }

    function _isModels(ITraceGame.Statement calldata statement, Traced calldata traced) private pure returns (bool) {
        return keccak256(abi.encode(statement.inputs)) == keccak256(abi.encode(traced.inputs))
            && statement.programs == traced.programs && statement.programCount == traced.programCount;
    }

    /// @dev Tokens of the leaf without their lengths, and how many stand before the first wanted one.
    function _areTokens(ITraceGame.Statement calldata statement, bytes calldata leaf) private pure returns (bool) {
        uint256 count = statement.tokens.length / 4;
        if (leaf.length != TextTrees.TOKENS_HEAD_BYTES + TextTrees.TOKEN_BYTES * count) return false;
        if (uint32(bytes4(leaf[:4])) != statement.promptCount) return false;
        for (uint256 i; i < count; i++) {
            uint256 from = TextTrees.TOKENS_HEAD_BYTES + TextTrees.TOKEN_BYTES * i;
            if (bytes4(leaf[from:from + 4]) != bytes4(statement.tokens[4 * i:4 * i + 4])) return false;
        }
        return true;
    }

    /// @dev Its length is a multiple of 32.
    function _rootOfFloats(bytes calldata numbers) private pure returns (bytes32) {
        uint256 words = numbers.length >> 5;
        bytes32[] memory nodes = new bytes32[](1 << Openings.depthOf(words));
        for (uint256 i; i < words; i++) nodes[i] = bytes32(numbers[32 * i:32 * i + 32]);
        return WordTrees.fold(nodes);
    }

    function _receipt(uint256 statics, uint256 columnCount, uint8 rest, Receipt calldata receipt)
        private
        view
        returns (uint256)
    {
        uint256 answerHash = uint256(
            sha256(abi.encodePacked(uint32(receipt.prompt.length), receipt.prompt, receipt.answer))
        ) % R;
        uint256 query = columnCount;
        uint256[] memory elements = QueryBytes.elements(receipt.query, columnCount, rest);
        for (uint256 from; from < elements.length; from += CHUNK) {
            uint256[] memory inputs = new uint256[](CHUNK + 1);
            inputs[0] = query;
            for (uint256 i; i < CHUNK && from + i < elements.length; i++) inputs[i + 1] = elements[from + i];
            query = math.hash(QueryBytes.TAG, inputs);
        }
        // Attack: a number and the same plus R are one to the hash; the ledger has one receipt of both.
        return math.hash(RECEIPT, _five(statics, receipt.payerId, answerHash, query, receipt.salt));
    }

    function _five(uint256 a, uint256 b, uint256 c, uint256 d, uint256 e)
        private
        pure
        returns (uint256[] memory inputs)
    {
        inputs = new uint256[](5);
        (inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]) = (a, b, c, d, e);
    }
}
