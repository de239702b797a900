// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {LedgerMath} from "./LedgerMath.sol";
import {QueryBytes} from "./QueryBytes.sol";
import {PromptTokens} from "./PromptTokens.sol";
import {TraceGame} from "./TraceGame.sol";
import {TraceRules} from "./TraceRules.sol";
import {Traced} from "./Traced.sol";
import {WordBorders} from "./WordBorders.sol";

/// @dev The rollup's state, of which the root comes first.
interface IStateRoot {
    function state() external view returns (uint256 root);
}

/// @title Games over queries of language models, and what a ledger makes of their verdicts
/// @notice docs/lm-disputes.md. A model's statics name the roots of its inputs and programs, and who claims for it. A claim
/// is of a receipt of that model. A settlement by draws is taken only once each of its opened draws has a claim that
/// stands; else the epoch goes by row counts, for which nobody is asked.
///
/// It answers for a gate (GenesisGates) as a contract of disputes does. It has no owner.
contract LedgerTraces is TraceGame {
    // Tags and packings of docs/ledger.md.
    uint256 private constant NODE = 2;
    uint256 private constant DATA = 5;
    uint256 private constant MODEL_BODY = 9;
    uint256 private constant RECEIPT = 18;
    uint256 private constant TRACED = 22;
    uint256 private constant MODEL_LEAF = 259;
    uint256 private constant TREE_DEPTH = 8;
    uint256 private constant CHUNK = 15;
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Epochs go by row counts 14 days after their Seal: a claim of the first days has its verdict before that.
    uint256 private constant MOST_SECONDS = 10 days;

    /// @notice What a model's leaf holds. @param fields All but its body. @param parts Of the statics: columnsCommitment,
    /// SHA-256 of the files modulo R, ownersCommitment, earnerRoot, binding, split. @param rest Of the body.
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

    struct Model {
        uint256 statics;
        bytes32 tracing;
        uint16 columnCount;
        uint8 drawBits;
    }

    LedgerMath public immutable math;
    mapping(address rollup => mapping(uint256 modelId => Model)) public models;
    /// @notice 1 where the rollup may take the Genesis of this model with this word J.
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 word => uint256))) public admissions;
    /// @notice Whether each opened draw of the settlement with this C has a claim that stands.
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 commitment => bool))) public isApproved;
    /// @notice keccak256 of what a claim says of its prompt; 0 where its model has no vocabulary.
    mapping(uint256 claimId => bytes32) public spellings;

    /// @notice A Genesis with this word J may be taken (id 1), a settlement by draws with this word C (id 2); or, with the
    /// word 0, settlements by draws of this model wait from now on (id 0).
    event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id);
    event TracedModel(address indexed rollup, uint256 indexed modelId, Traced traced, uint256 statics);
    /// @param lengths As in a receipt.
    event ReceiptClaimed(uint256 indexed claimId, bytes32 indexed key, uint256 receipt, bytes prompt, bytes lengths);
    /// @notice A token of the prompt is not what the prompt's tokenizer makes. @param isJoined Its neighbour is joined to it;
    /// else it spells something else, or spans two pieces.
    event PromptRefuted(uint256 indexed claimId, uint256 place, bool isJoined);

    /// @notice Rollup, model, roots or receipt are not the claim's.
    error LedgerTracesClaimInvalid();
    /// @notice Only who the model's statics name claims its queries.
    error LedgerTracesNotClaimant(address claimant);
    error LedgerTracesRootMismatch(uint256 expected, uint256 actual);
    /// @notice The model's genesis was taken: what settles its epochs is settled.
    error LedgerTracesBegun();
    /// @notice The model promises no claims, or not these.
    error LedgerTracesOtherModel();
    /// @notice These elements are not the end of what C commits to.
    error LedgerTracesOpeningInvalid();
    /// @notice The draw's receipt has no claim that stands, or one that was refuted.
    error LedgerTracesDrawUnclaimed(uint256 draw);

    constructor(
        TraceRules rules_,
        uint256 windowSeconds_,
        uint256 sideSeconds_,
        uint256 leastBondWei_,
        uint256 stakeWei_,
        LedgerMath math_
    ) TraceGame(rules_, windowSeconds_, sideSeconds_, leastBondWei_, stakeWei_) {
        if (windowSeconds_ + 2 * sideSeconds_ > MOST_SECONDS) revert TraceParametersInvalid();
        math = math_;
    }

    /// @notice Makes a traced model's settlements wait for claims, and lets the rollup take its Genesis, unless its rows are to
    /// be posted before that. Open to all, until its genesis was taken: the statics say what the model is.
    /// @param cap Most payments of an epoch, as the Genesis states.
    function register(
        address rollup,
        uint24 modelId,
        Traced calldata traced,
        ModelLeaf calldata leaf,
        uint256[8][] calldata path,
        uint256 cap
    ) external {
        bytes32 tracing = keccak256(abi.encode(traced));
        uint256[6] calldata parts = leaf.parts;
        uint256 statics = math.markedStatics(
            TRACED, parts[0], parts[1], uint256(tracing) % R, [parts[2], parts[3], parts[4], parts[5]]
        );
        uint256[] memory fields = new uint256[](8);
        for (uint256 i; i < 7; i++) fields[i] = leaf.fields[i];
        fields[7] =
            math.hash(MODEL_BODY, _five(statics, leaf.rest[0], leaf.rest[1], leaf.rest[2], leaf.rest[3]));
        uint256 root = IStateRoot(rollup).state();
        uint256 reached =
            path.length == TREE_DEPTH ? math.rootOf(NODE, modelId, math.hash(MODEL_LEAF, fields), path) : 0;
        if (reached != root || root == 0) revert LedgerTracesRootMismatch(root, reached);
        // Attack: registered only once it settles by draws, it refuses a batch in proof. A number and the same plus R are one
        // to the hash, and R is odd.
        if ((leaf.fields[6] % R) & 1 == 1) revert LedgerTracesBegun();
        uint256 binding = parts[4];
        // Narrowing casts: 12 and 3 bits. Attack: statics of numbers modulo R have other bits above.
        if (binding >> 127 != 0 || traced.featureCount == 0 || traced.featureCount > binding >> 115) {
            revert LedgerTracesOtherModel();
        }
        models[rollup][modelId] = Model(statics, tracing, uint16(binding >> 115), uint8(binding >> 112 & 7));
        emit TracedModel(rollup, modelId, traced, statics);
        emit Admitted(rollup, modelId, 0, 0);
        // Of a model that promises its rows, TextDisputes admits the genesis once their window is over.
        if (traced.rules != 0) return;
        uint256 word = math.genesis(modelId, statics, cap, parts[3]);
        admissions[rollup][modelId][word] = 1;
        emit Admitted(rollup, modelId, word, 1);
    }

    /// @dev Of no ledger's receipt: nobody would wait for its verdict.
    function claim(Statement calldata, bytes32[] calldata) external payable override returns (uint256) {
        revert LedgerTracesClaimInvalid();
    }

    /// @notice Claims that a receipt's query is its tokens', by a model that the rollup has. From its claimant alone.
    /// @param path From the text's program to `programs`.
    function claimReceipt(
        Statement calldata statement,
        bytes32[] calldata path,
        Traced calldata traced,
        Receipt calldata receipt
    ) external payable returns (uint256 claimId) {
        Model storage model = models[statement.rollup][statement.modelId];
        if (model.tracing == 0 || keccak256(abi.encode(traced)) != model.tracing) revert LedgerTracesOtherModel();
        if (msg.sender != traced.claimant) revert LedgerTracesNotClaimant(traced.claimant);
        bool isModels = keccak256(abi.encode(statement.inputs)) == keccak256(abi.encode(traced.inputs))
            && statement.programs == traced.programs && statement.programCount == traced.programCount;
        if (
            !isModels || receipt.payerId >> 24 != 0 || receipt.query.length != traced.featureCount
                || QueryBytes.root(receipt.query) != statement.query
                || !QueryBytes.isAnswer(
                    receipt.answer, statement.tokens, statement.promptCount, traced.mostTokens, traced.endToken
                )
                || !PromptTokens.isWhole(
                    receipt.prompt, receipt.lengths, statement.tokens, statement.promptCount, traced.vocabularySize
                )
        ) revert LedgerTracesClaimInvalid();
        uint256 hash = _receipt(model.statics, model.columnCount, traced.rest, receipt);
        bytes32 key = _key(statement.rollup, statement.modelId, receipt.payerId, hash);
        claimId = _claim(statement, path, key);
        if (traced.vocabulary != 0) spellings[claimId] = _spelling(receipt.prompt, receipt.lengths);
        emit ReceiptClaimed(claimId, key, hash, receipt.prompt, receipt.lengths);
    }

    /// @notice Refutes a claim in which a token of the prompt spells something else, or spans what the tokenizer cuts into
    /// pieces first. Open to all, without a stake.
    /// @param prompt, lengths As claimed. @param place Of the token among the prompt's.
    function challengeSpelling(
        uint256 claimId,
        Statement calldata statement,
        Traced calldata traced,
        bytes calldata prompt,
        bytes calldata lengths,
        uint256 place,
        PromptTokens.Entry calldata entry
    ) external {
        _requirePrompt(claimId, statement, traced, prompt, lengths);
        bool isRight = place >= statement.promptCount
            || (PromptTokens.spells(
                    PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize),
                    QueryBytes.tokenAt(statement.tokens, place),
                    PromptTokens.partOf(prompt, lengths, place),
                    entry
                ) && !PromptTokens.spansCut(traced.joining, prompt, lengths, place, entry));
        _judgePrompt(claimId, isRight, place, false);
    }

    /// @notice Refutes a claim in which the tokenizer would have joined two neighbours of the prompt. Open to all, without
    /// a stake. @param place Of the first one. @param joined, left, right As PromptTokens.areJoined.
    function challengeJoin(
        uint256 claimId,
        Statement calldata statement,
        Traced calldata traced,
        bytes calldata prompt,
        bytes calldata lengths,
        uint256 place,
        PromptTokens.Entry calldata joined,
        PromptTokens.Entry[] calldata left,
        PromptTokens.Entry[] calldata right
    ) external {
        _requirePrompt(claimId, statement, traced, prompt, lengths);
        bool isRight = place + 1 >= statement.promptCount
            || !PromptTokens.isInside(traced.joining, prompt, PromptTokens.offsetOf(lengths, place + 1))
            || !PromptTokens.areJoined(
                PromptTokens.Vocabulary(traced.vocabulary, traced.vocabularySize),
                [QueryBytes.tokenAt(statement.tokens, place), QueryBytes.tokenAt(statement.tokens, place + 1)],
                joined,
                left,
                right
            );
        _judgePrompt(claimId, isRight, place, true);
    }

    /// @notice The challenger's last move where the owner's own numbers say that the model would have answered another token.
    /// Of models whose answers are the likeliest tokens. @param steps, place, rival, ranges As TraceRules.isLikelier.
    function showAnswer(
        uint256 gameId,
        Statement calldata statement,
        Traced calldata traced,
        TraceRules.Step[2] calldata steps,
        uint256 place,
        uint256 rival,
        TraceRules.Range[2] calldata ranges
    ) external {
        Game storage game = _turnOf(gameId, Turn.Choose);
        _requireStated(game.claimId, statement);
        _requireTraced(statement, traced);
        if (!traced.isLikeliest) revert LedgerTracesOtherModel();
        TraceRules.Pass memory pass =
            TraceRules.Pass(game.traceRoot, statement.opCount, statement.tokens, statement.promptCount);
        _judge(gameId, game, rules.isLikelier(pass, statement.program, steps, place, rival, ranges));
    }

    /// @notice Of each border between two bytes of a text: 1 where the pattern of words cuts nowhere, 2 where it cuts, 0 where
    /// that is not sure.
    function wordBorders(bytes calldata text) external pure returns (bytes memory kinds) {
        kinds = new bytes(text.length == 0 ? 0 : text.length - 1);
        // Narrowing cast: kinds are below 3.
        for (uint256 i; i < kinds.length; i++) kinds[i] = bytes1(uint8(WordBorders.kindOf(text, i + 1)));
    }

    /// @notice Says for ever that a settlement by draws may be taken. Open to all.
    /// @param before The chain's value before `tail`. @param tail The last whole chunks that C commits to.
    /// @param end Where the draws end in it: what is behind them is zeros.
    /// @param claimIds Of each draw, in their order; any number for one that is void.
    function approve(
        address rollup,
        uint256 modelId,
        uint256 commitment,
        uint256 before,
        uint256[] calldata tail,
        uint256 end,
        uint256[] calldata claimIds
    ) external {
        uint256 drawCount = 1 << models[rollup][modelId].drawBits;
        uint256 reached = before;
        for (uint256 from; from < tail.length; from += CHUNK) {
            uint256[] memory inputs = new uint256[](CHUNK + 1);
            inputs[0] = reached;
            for (uint256 i; i < CHUNK; i++) inputs[i + 1] = tail[from + i];
            reached = math.hash(DATA, inputs);
        }
        uint256 behind;
        for (uint256 i = end; i < tail.length; i++) behind |= tail[i];
        bool isOpening = reached == commitment && behind == 0 && end <= tail.length && end >= 3 * drawCount;
        if (!isOpening || claimIds.length != drawCount || models[rollup][modelId].tracing == 0) {
            revert LedgerTracesOpeningInvalid();
        }
        for (uint256 draw; draw < drawCount; draw++) {
            uint256 from = end - 3 * (drawCount - draw);
            (uint256 first, uint256 middle, uint256 receipt) = (tail[from], tail[from + 1], tail[from + 2]);
            // Attack: an `end` that is not the draws'. Anyone may pay with any number for a receipt, 0 too; so no size
            // is asked of it. What a payment sums up to is never 0: two or more numbers away, it or a zero behind the draws
            // is where the other has to be. One away, every receipt is where a number below 2^129 has to be: no draw
            // has an opening then.
            if (first >> 129 != 0 || middle == 0 || middle >> 128 != 0 || receipt >= R) {
                revert LedgerTracesOpeningInvalid();
            }
            // Narrowing cast: the lower 24 bits are the payer, the sum is above.
            bytes32 key = _key(rollup, modelId, uint24(middle), receipt);
            bool isClaimed = claims[claimIds[draw]].key == key && stands(claimIds[draw]);
            if (isLost[key] || (first >> 128 == 1 && !isClaimed)) revert LedgerTracesDrawUnclaimed(draw);
        }
        isApproved[rollup][modelId][commitment] = true;
        emit Admitted(rollup, modelId, commitment, 2);
    }

    /// @notice Whether a rollup may take the settlement by draws with this C: of a model that is not traced any.
    function settlesFor(address rollup, uint256 modelId, uint256 commitment) external view returns (bool) {
        return models[rollup][modelId].tracing == 0 || isApproved[rollup][modelId][commitment];
    }

    function _requirePrompt(
        uint256 claimId,
        Statement calldata statement,
        Traced calldata traced,
        bytes calldata prompt,
        bytes calldata lengths
    ) private view {
        _requireInWindow(claimId, claims[claimId]);
        _requireStated(claimId, statement);
        _requireTraced(statement, traced);
        if (spellings[claimId] != _spelling(prompt, lengths)) revert LedgerTracesOpeningInvalid();
    }

    function _requireTraced(Statement calldata statement, Traced calldata traced) private view {
        if (keccak256(abi.encode(traced)) != models[statement.rollup][statement.modelId].tracing) {
            revert LedgerTracesOtherModel();
        }
    }

    function _judgePrompt(uint256 claimId, bool isRight, uint256 place, bool isJoined) private {
        if (isRight) revert TraceNothingWrong(0);
        emit PromptRefuted(claimId, place, isJoined);
        _refuteClaim(claimId, 0, msg.sender, 0);
    }

    function _spelling(bytes calldata prompt, bytes calldata lengths) private pure returns (bytes32) {
        return keccak256(abi.encode(prompt, lengths));
    }

    /// @dev Attack: a stranger pays with a receipt that was refuted, for all to see, and holds up a later epoch. So what is
    /// lost is lost for its payer.
    function _key(address rollup, uint256 modelId, uint256 payerId, uint256 receipt) private pure returns (bytes32) {
        return keccak256(abi.encode(rollup, modelId, payerId, receipt));
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
