// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ClaimChecks} from "./ClaimChecks.sol";
import {IDisputes} from "./base/IDisputes.sol";
import {LedgerMath} from "./base/LedgerMath.sol";
import {PromptTokens} from "./texts/PromptTokens.sol";
import {TraceGame} from "./TraceGame.sol";
import {TraceRules} from "./TraceRules.sol";
import {Traced} from "./base/Traced.sol";

/// @dev The rollup's state, of which the root comes first.
interface IStateRoot {
    function state() external view returns (uint256 root);
}

/// @dev The registry where rows are posted: ModelCommitments.
interface IRowModelCommitments {
    function refuteRow(uint256 id, uint256 row, address challenger) external;
    function rowsOf(uint256 id, bytes32 statementHash)
        external
        view
        returns (address owner, uint64 endsAt, address rollup);
    function modelCommitments(uint256 id)
        external
        view
        returns (address, uint64, bool isRefuted, uint96, uint32, bytes32, address, uint8);
}

/// @title Games over queries and rows of language models, and what a ledger makes of their verdicts
/// @notice docs/explanation/fault-proofs.md. A model's statics name the roots of its inputs and programs, and who claims for it.
///
/// A claim of a query is of a receipt of that model. A settlement by draws is taken only once each of its opened draws has a
/// claim that stands; else the epoch goes by row counts, for which nobody is asked. A claim of a row is made of a model commitment, when
/// the first challenger comes. It needs no bond: the model commitment has one, which falls with the row, and counts only once no game
/// about it is open.
///
/// The registry asks it for the gate (ModelCommitments.admits, refuses). It has no owner.
contract LedgerTraces is TraceGame {
    // Tag of docs/reference/ledger.md.
    uint256 private constant DATA = 5;
    uint256 private constant CHUNK = 15;
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Epochs go by row counts 14 days after their CloseEpoch: a claim of the first days has its verdict before that.
    uint256 private constant MOST_SECONDS = 10 days;
    /// @dev A challenger has to trace a claim's text and to be let into a block; a player, in each of some five rounds.
    uint256 private constant LEAST_WINDOW_SECONDS = 2 days;
    uint256 private constant LEAST_SIDE_SECONDS = 1 days;
    /// @dev Games over rows of a model commitment before the next ones cost a stake more. Each row takes a trace of its own, and no
    /// bond: so the ladder is the model commitment's, and steeper than a query's.
    uint256 private constant ROW_GAMES_A_STAKE = 32;

    struct Model {
        uint256 statics;
        bytes32 tracing;
        uint16 columnCount;
        uint8 drawBits;
    }

    ClaimChecks public immutable checks;
    /// @notice Whose rows games are about; 0 where no rows are.
    IRowModelCommitments public immutable modelCommitments;
    LedgerMath private immutable _math;
    mapping(address rollup => mapping(uint256 modelId => Model)) public models;
    /// @notice 1 where the rollup may take the Activation of this model with this word J.
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 word => uint256))) public admissions;
    /// @notice Whether each opened draw of the settlement with this C has a claim that stands.
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 commitment => bool))) public isApproved;
    /// @notice keccak256 of what a claim says of its prompt; 0 where its model has no vocabulary, and of rows.
    mapping(uint256 claimId => bytes32) public spellings;
    /// @notice Games about rows of a model commitment whose stake is nobody's yet.
    mapping(uint256 id => uint256) public rowGamesOf;
    /// @notice Claim of a model commitment's row; 0 while nobody has challenged it.
    mapping(uint256 id => mapping(uint256 row => uint256)) public claimOf;

    /// @notice An Activation with this word J may be taken (id 1), a settlement by draws with this word C (id 2); or, with the
    /// word 0, settlements by draws of this model wait from now on (id 0).
    event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id);
    event TracedModel(address indexed rollup, uint256 indexed modelId, Traced traced, uint256 statics);
    /// @param lengths As in a receipt.
    event ReceiptClaimed(
        address indexed rollup,
        uint256 indexed modelId,
        bytes32 indexed key,
        uint256 claimId,
        uint256 receipt,
        bytes prompt,
        bytes lengths
    );
    /// @notice A token of the prompt is not what the prompt's tokenizer makes. @param isJoined Its neighbour is joined to it;
    /// else it spells something else, or spans two pieces.
    event PromptRefuted(uint256 indexed claimId, uint256 place, bool isJoined);

    /// @notice Only who the model's statics name claims its queries.
    error LedgerTracesNotClaimant(address claimant);
    /// @notice The model promises no claims, or not these.
    error LedgerTracesOtherModel();
    /// @notice The model is registered with these statics, and this Activation admitted.
    error LedgerTracesRegistered();
    /// @notice These elements are not the end of what C commits to.
    error LedgerTracesOpeningInvalid();
    /// @notice The draw's receipt has no claim that stands, or one that was refuted.
    error LedgerTracesDrawUnclaimed(uint256 draw);
    /// @notice The statement is not the model commitment's, or the model commitment is refuted.
    error LedgerTracesOtherModelCommitment(uint256 id);

    constructor(
        TraceRules rules_,
        uint256 windowSeconds_,
        uint256 sideSeconds_,
        uint256 leastBondWei_,
        uint256 stakeWei_,
        ClaimChecks checks_,
        IRowModelCommitments modelCommitments_
    ) TraceGame(rules_, windowSeconds_, sideSeconds_, leastBondWei_, stakeWei_) {
        bool isRight = windowSeconds_ >= LEAST_WINDOW_SECONDS && sideSeconds_ >= LEAST_SIDE_SECONDS
            && windowSeconds_ + 2 * sideSeconds_ <= MOST_SECONDS;
        if (!isRight) revert TraceParametersInvalid();
        (checks, modelCommitments, _math) = (checks_, modelCommitments_, checks_.math());
    }

    /// @notice Makes a traced model's settlements wait for claims, and lets the rollup take its Activation, unless its rows are to
    /// be posted before that. Open to all, until its activation was taken: the statics say what the model is. A second time it
    /// admits an Activation with another cap alone.
    /// @param cap Most payments of an epoch, as the Activation states.
    function register(
        address rollup,
        uint24 modelId,
        Traced calldata traced,
        ClaimChecks.ModelLeaf calldata leaf,
        uint256[8][] calldata path,
        uint256 cap
    ) external {
        (uint256 statics, bytes32 tracing, uint256 columnCount, uint256 drawBits, uint256 word) =
            checks.modelOf(modelId, traced, leaf, path, IStateRoot(rollup).state(), cap);
        // Of a model that promises its rows, the registry admits the activation once their window is over.
        bool isAdmitted = traced.rules == 0 && admissions[rollup][modelId][word] == 0;
        if (models[rollup][modelId].statics != statics) {
            // Narrowing casts: 12 and 3 bits.
            models[rollup][modelId] = Model(statics, tracing, uint16(columnCount), uint8(drawBits));
            emit TracedModel(rollup, modelId, traced, statics);
            emit Admitted(rollup, modelId, 0, 0);
        } else if (!isAdmitted) {
            revert LedgerTracesRegistered();
        }
        if (!isAdmitted) return;
        admissions[rollup][modelId][word] = 1;
        emit Admitted(rollup, modelId, word, 1);
    }

    /// @notice Claims that a receipt's query is its tokens', by a model that the rollup has. From its claimant alone.
    /// @param path From the text's program to `programs`. @return claimId 1, 2, …
    function claimReceipt(
        Statement calldata statement,
        bytes32[] calldata path,
        Traced calldata traced,
        ClaimChecks.Receipt calldata receipt
    ) external payable returns (uint256 claimId) {
        _requireTraced(statement, traced);
        if (msg.sender != traced.claimant) revert LedgerTracesNotClaimant(traced.claimant);
        Model storage model = models[statement.rollup][statement.modelId];
        uint256 hash = checks.receiptOf(statement, traced, receipt, model.statics, model.columnCount);
        bytes32 key = _key(statement.rollup, statement.modelId, receipt.payerId, hash);
        claimId = _claim(statement, path, key);
        if (traced.vocabulary != 0) spellings[claimId] = _spelling(receipt.prompt, receipt.lengths);
        emit ReceiptClaimed(
            statement.rollup, statement.modelId, key, claimId, hash, receipt.prompt, receipt.lengths
        );
    }

    /// @notice Says that a posted row's real features are not those of its tokens. The stake is what is paid, as for any
    /// challenge. @param posted As posted. @param traced What the model's statics bind of the trace.
    /// @param statement What the owner has to show: the row's tokens, the root over its real features.
    /// @param path From the row's program to the programs' root. @param tokens, numbers The row's leaves.
    function challengeRow(
        uint256 id,
        uint256 row,
        IDisputes.Statement calldata posted,
        Traced calldata traced,
        Statement calldata statement,
        bytes32[] calldata path,
        IDisputes.Opening calldata tokens,
        IDisputes.Opening calldata numbers
    ) external payable returns (uint256 gameId) {
        uint256 claimId = claimOf[id][row];
        if (claimId == 0) {
            checks.requireRow(row, posted, traced, statement, tokens, numbers);
            claimId = _openRow(id, row, keccak256(abi.encode(posted)), statement, path);
        } else {
            // Attack: a stake on another statement than its challenger has computed.
            _requireStated(claimId, statement);
        }
        gameId = challenge(claimId, claims[claimId].statementHash);
    }

    function _openRow(
        uint256 id,
        uint256 row,
        bytes32 postedHash,
        Statement calldata statement,
        bytes32[] calldata path
    ) private returns (uint256 claimId) {
        if (address(modelCommitments) == address(0)) revert LedgerTracesOtherModelCommitment(id);
        (address owner, uint64 endsAt, address rollup) = modelCommitments.rowsOf(id, postedHash);
        if (owner == address(0) || statement.rollup != rollup) {
            revert LedgerTracesOtherModelCommitment(id);
        }
        // Model commitments are counted, and a row has opened its trees: both are below 2^128.
        claimId = _open(Kind.Row, statement, path, bytes32((id << 128) | row), owner, 0, endsAt);
        claimOf[id][row] = claimId;
    }

    /// @notice Refutes a claim in which a token of the prompt spells something else, spans what the tokenizer cuts into
    /// pieces first, or stands where the prompt is no UTF-8. Open to all, without a stake.
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
        bool isRight = checks.isSpelled(statement, traced, prompt, lengths, place, entry);
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
        bool isRight = checks.isApart(statement, traced, prompt, lengths, place, joined, left, right);
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
        if (!traced.isLikeliest || claims[game.claimId].kind != Kind.Query) revert LedgerTracesOtherModel();
        TraceRules.Pass memory pass =
            TraceRules.Pass(game.traceRoot, statement.opCount, statement.tokens, statement.promptCount);
        _judge(gameId, game, rules.isLikelier(pass, statement.program, steps, place, rival, ranges));
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
            reached = _math.hash(DATA, inputs);
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

    /// @notice What a challenge of a row of this model commitment costs at this base fee, where none is open about the row.
    function stakeForRow(uint256 id, uint256 baseFeeWei) public view returns (uint256) {
        return _ladder(rowGamesOf[id], ROW_GAMES_A_STAKE, baseFeeWei);
    }

    /// @dev Attack: friends who fill the steps by games about another model commitment of the same owner, before the one that counts.
    function _stakeOf(Claim storage claimed, uint256 baseFeeWei) internal view override returns (uint256) {
        return claimed.kind == Kind.Row ? stakeForRow(_idOf(claimed), baseFeeWei) : super._stakeOf(claimed, baseFeeWei);
    }

    /// @dev A model commitment that something else has refuted: its players would go on for nothing.
    function _isDecided(Claim storage claimed) internal view override returns (bool) {
        if (claimed.isRefuted || claimed.kind == Kind.Query) return claimed.isRefuted;
        (,, bool isRefuted,,,,,) = modelCommitments.modelCommitments(_idOf(claimed));
        return isRefuted;
    }

    function _onGames(Claim storage claimed, bool isOpened) internal override {
        if (claimed.kind == Kind.Query) return;
        if (isOpened) rowGamesOf[_idOf(claimed)]++;
        else rowGamesOf[_idOf(claimed)]--;
    }

    function _onRefuted(Claim storage claimed, address challenger) internal override {
        if (claimed.kind == Kind.Query) return;
        // A row is below 2^128.
        modelCommitments.refuteRow(_idOf(claimed), uint128(uint256(claimed.key)), challenger);
    }

    /// @dev Of a row.
    function _idOf(Claim storage claimed) private view returns (uint256) {
        return uint256(claimed.key) >> 128;
    }
}
