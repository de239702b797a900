// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {Openings} from "./Openings.sol";
import {TextTrees} from "./TextTrees.sol";
import {Traced} from "./Traced.sol";
import {TraceGame} from "./TraceGame.sol";
import {TraceRules} from "./TraceRules.sol";
import {WordTrees} from "./WordTrees.sol";

/// @title Games over rows of G of language models
/// @notice docs/lm-disputes.md. A posting says of each row which tokens it has, and which real features. That is what a
/// claim of a query says of prompt and answer, but for the rounding: so the game is the same, and what is claimed of a
/// row are the results before the largest of them is taken and they are rounded. A claim of a row is made when the first
/// challenger comes. It needs no bond: the posting has one.
contract RowTraces is TraceGame {
    /// @dev Operations at a program's end: features, the largest size, rounding.
    uint256 private constant LAST_OPS = 3;

    /// @notice What games say of a posting. @param isLost A row of it was refuted: the first one, by this challenger.
    struct Verdict {
        uint32 openGames;
        bool isLost;
        uint32 row;
        address challenger;
    }

    struct RowOf {
        uint128 id;
        uint128 row;
    }

    /// @notice Whose postings these games are about: TextDisputes.
    IDisputes public immutable disputes;
    mapping(uint256 id => Verdict) public verdicts;
    /// @notice Claim of a row; 0 while nobody has challenged it.
    mapping(uint256 id => mapping(uint256 row => uint256)) public claimOf;
    /// @notice Of which posting a claim is, and of which row.
    mapping(uint256 claimId => RowOf) public rowOf;

    event RowChallenged(uint256 indexed id, uint256 indexed row, uint256 indexed claimId);

    /// @notice The statement is not the posting's.
    error RowTracesOtherPosting(uint256 id);
    /// @notice What the game is to be about is not what the posting says of this row.
    error RowTracesStatementInvalid(uint256 id, uint256 row);

    /// @param windowSeconds_ That of the postings.
    constructor(
        TraceRules rules_,
        IDisputes disputes_,
        uint256 windowSeconds_,
        uint256 sideSeconds_,
        uint256 stakeWei_
    ) TraceGame(rules_, windowSeconds_, sideSeconds_, 0, stakeWei_) {
        disputes = disputes_;
    }

    /// @dev Of no posting: nobody would wait for its verdict.
    function claim(Statement calldata, bytes32[] calldata) external payable override returns (uint256) {
        revert TraceStatementInvalid();
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
            TextTrees.requireTraced(posted, traced);
            TextTrees.requireOpening(posted, IDisputes.Tree.Tokens, row, tokens);
            TextTrees.requireOpening(posted, IDisputes.Tree.Map, row, numbers);
            claimId = _openRow(id, row, keccak256(abi.encode(posted)), statement, path);
            bool isRow = statement.modelId == posted.modelId
                && keccak256(abi.encode(statement.inputs)) == keccak256(abi.encode(traced.inputs))
                && statement.programs == traced.programs && statement.programCount == traced.programCount
                && statement.opCount >= LAST_OPS && _areTokens(statement, tokens.data)
                && numbers.data.length == 4 * uint256(posted.bucketCount)
                && _rootOfFloats(numbers.data) == statement.query;
            if (!isRow) revert RowTracesStatementInvalid(id, row);
        } else {
            // Attack: a stake on another statement than its challenger has computed.
            _requireStated(claimId, statement);
        }
        emit RowChallenged(id, row, claimId);
        gameId = _challenge(claimId);
    }

    function _openRow(
        uint256 id,
        uint256 row,
        bytes32 postedHash,
        Statement calldata statement,
        bytes32[] calldata path
    ) private returns (uint256 claimId) {
        (address owner, uint64 endsAt, bool isRefuted,,, bytes32 statementHash, address rollup) = disputes.postings(id);
        if (owner == address(0) || isRefuted || statementHash != postedHash || statement.rollup != rollup) {
            revert RowTracesOtherPosting(id);
        }
        claimId = _open(statement, path, 0, owner, 0, endsAt);
        claimOf[id][row] = claimId;
        // Narrowing casts: postings are counted, and a row has opened its trees.
        rowOf[claimId] = RowOf(uint128(id), uint128(row));
    }

    /// @dev Tokens of the leaf without their lengths, and how many stand before the first wanted one.
    function _areTokens(Statement calldata statement, bytes calldata leaf) private pure returns (bool) {
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

    function _claimedOp(uint256 opCount) internal pure override returns (uint256) {
        return opCount - LAST_OPS;
    }

    /// @notice What a challenge of a row of this posting costs now.
    function stakeForPosting(uint256 id) public view returns (uint256) {
        return stakeWei * (1 + verdicts[id].openGames / GAMES_A_STAKE);
    }

    /// @dev Attack: friends who fill the steps by games about another posting of the same owner, before the one that counts.
    function _stakeOf(uint256 claimId) internal view override returns (uint256) {
        return stakeForPosting(rowOf[claimId].id);
    }

    /// @dev A posting that something else has refuted: whoever plays about it would go on for nothing.
    function _isDecided(uint256 claimId) internal view override returns (bool) {
        (,, bool isRefuted,,,,) = disputes.postings(rowOf[claimId].id);
        return isRefuted || claims[claimId].isRefuted;
    }

    function _onGames(uint256 claimId, bool isOpened) internal override {
        Verdict storage verdict = verdicts[rowOf[claimId].id];
        if (isOpened) verdict.openGames++;
        else verdict.openGames--;
    }

    function _onRefuted(uint256 claimId, address challenger) internal override {
        RowOf memory of_ = rowOf[claimId];
        Verdict storage verdict = verdicts[of_.id];
        if (verdict.isLost) return;
        // Narrowing cast: a posting has at most 2,048 rows.
        (verdict.isLost, verdict.row, verdict.challenger) = (true, uint32(of_.row), challenger);
    }
}
