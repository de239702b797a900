// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ITraceGame} from "./ITraceGame.sol";
import {Openings} from "./base/Openings.sol";
import {TraceRules} from "./TraceRules.sol";
import {WordTrees} from "./base/WordTrees.sol";

/// @dev Documentation is in ITraceGame. Moves and money of the game; LedgerTraces says what is claimed. Holds exactly: bonds
/// of claims that are neither refuted nor returned, stakes of games that are not over, and what is owed.
abstract contract TraceGame is ITraceGame {
    /// @dev Levels of the tree that one move goes down: sixteen nodes.
    uint256 private constant STEP = 4;
    uint256 private constant MOST_TOKENS = 4_096;
    /// @dev Of operations, inputs and results: their numbers fit everywhere.
    uint256 private constant MOST_DEPTH = 32;
    /// @dev Operations at a program's end: real features, the largest size, rounding. Of a row the first is claimed.
    uint256 internal constant ROW_OPS = 3;
    /// @dev Games about one claim of a query before the next ones cost a stake more. They need one trace together.
    uint256 private constant GAMES_A_STAKE = 256;
    /// @dev Gas of an owner's moves in a game, which its stake pays; a stake is at most so many of the least ones.
    uint256 private constant OWNERS_GAS = 600_000;
    uint256 private constant MOST_STAKES = 4;
    /// @dev Gas of a challenger who is right, which half of the bond pays, or up to three quarters where it is dear.
    uint256 private constant CHALLENGERS_GAS = 3_000_000;

    struct Claim {
        address owner;
        uint40 endsAt;
        Kind kind;
        bool isRefuted;
        uint16 openGames;
        uint24 modelId;
        address rollup;
        /// @dev 0 once it was returned or forfeited, and of a row: its model commitment has a bond.
        uint96 bondWei;
        bytes32 statementHash;
        /// @dev Of a query what the ledger has; of a row its model commitment and its place. 0 for neither.
        bytes32 key;
    }

    struct Game {
        address challenger;
        uint64 deadline;
        Turn turn;
        /// @dev Levels left in the tree that is descended.
        uint8 depth;
        uint8 step;
        bool hasOp;
        uint128 claimId;
        /// @dev What is left to either side for all its moves, but for the one whose turn it is: that one's deadline says it.
        uint64 ownerSeconds;
        uint64 challengerSeconds;
        uint64 op;
        uint64 place;
        uint96 stakeWei;
        bytes32 traceRoot;
        bytes32 node;
        bytes32 nodesHash;
        bytes32 opHash;
    }

    TraceRules public immutable rules;
    uint256 public immutable windowSeconds;
    /// @notice Time for all moves of a side: a game ends in twice as much.
    uint256 public immutable sideSeconds;
    uint256 public immutable leastBondWei;
    uint256 public immutable stakeWei;

    uint256 public claimCount;
    uint256 public gameCount;
    mapping(uint256 claimId => Claim) public claims;
    mapping(uint256 gameId => Game) public games;
    mapping(address who => uint256) public owedWei;
    /// @notice Games about this owner's claims whose stake is nobody's yet.
    mapping(address owner => uint256) public openGamesOf;
    /// @notice Whether a claim with this key was refuted.
    mapping(bytes32 key => bool) public isLost;

    constructor(
        TraceRules rules_,
        uint256 windowSeconds_,
        uint256 sideSeconds_,
        uint256 leastBondWei_,
        uint256 stakeWei_
    ) {
        bool isRight = address(rules_).code.length != 0 && windowSeconds_ != 0 && windowSeconds_ < 1 << 32
            && sideSeconds_ != 0 && sideSeconds_ < 1 << 32 && stakeWei_ <= type(uint96).max;
        if (!isRight) revert TraceParametersInvalid();
        rules = rules_;
        windowSeconds = windowSeconds_;
        sideSeconds = sideSeconds_;
        leastBondWei = leastBondWei_;
        stakeWei = stakeWei_;
    }

    /// @inheritdoc ITraceGame
    /// @dev Attack: a value that is counted once for each call. It takes none.
    function playMany(bytes[] calldata moves) external {
        for (uint256 i; i < moves.length; i++) {
            (bool isDone, bytes memory said) = address(this).delegatecall(moves[i]);
            if (!isDone) {
                assembly ("memory-safe") {
                    revert(add(said, 32), mload(said))
                }
            }
        }
    }

    function _claim(Statement calldata statement, bytes32[] calldata path, bytes32 key)
        internal
        returns (uint256 claimId)
    {
        if (msg.value < leastBondWei || msg.value > type(uint96).max) revert TraceBondWrong(msg.value, leastBondWei);
        claimId = _open(Kind.Query, statement, path, key, msg.sender, msg.value, block.timestamp + windowSeconds);
    }

    function _open(
        Kind kind,
        Statement calldata statement,
        bytes32[] calldata path,
        bytes32 key,
        address owner,
        uint256 bondWei,
        uint256 endsAt
    ) internal returns (uint256 claimId) {
        _requireStatement(statement, path);
        claimId = ++claimCount;
        // Narrowing casts: 2^40 seconds do not come, bond and number were compared.
        claims[claimId] = Claim({
            owner: owner,
            endsAt: uint40(endsAt),
            kind: kind,
            isRefuted: false,
            openGames: 0,
            modelId: uint24(statement.modelId),
            rollup: statement.rollup,
            bondWei: uint96(bondWei),
            statementHash: keccak256(abi.encode(statement)),
            key: key
        });
        emit Claimed(statement.rollup, statement.modelId, owner, claimId, kind, key, statement, bondWei, endsAt);
    }

    /// @inheritdoc ITraceGame
    function challenge(uint256 claimId, bytes32 statementHash) public payable returns (uint256 gameId) {
        Claim storage claimed = claims[claimId];
        _requireInWindow(claimId, claimed);
        // Attack: L1 takes back the claim that was compared, and a right one gets its number before the challenge is in a block.
        if (claimed.statementHash != statementHash) revert TraceOtherStatement(claimId);
        // Attack: more games at once than an owner can answer. The n-th costs 1 + n / 256 stakes, so n of them some n² / 512.
        uint256 neededWei = stakeFor(claimId, block.basefee);
        if (msg.value < neededWei || msg.value > type(uint96).max) revert TraceBondWrong(msg.value, neededWei);
        gameId = ++gameCount;
        Game storage game = games[gameId];
        // Narrowing casts: there are fewer claims, and the time was compared.
        (game.challenger, game.claimId, game.stakeWei) = (msg.sender, uint128(claimId), uint96(msg.value));
        (game.ownerSeconds, game.challengerSeconds) = (uint64(sideSeconds), uint64(sideSeconds));
        claimed.openGames++;
        openGamesOf[claimed.owner]++;
        _onGames(claimed, true);
        _next(game, Turn.Answer);
        emit Challenged(claimed.rollup, claimed.modelId, msg.sender, gameId, claimId, game.deadline);
    }

    /// @inheritdoc ITraceGame
    function answer(
        uint256 gameId,
        Statement calldata statement,
        bytes32 traceRoot,
        bytes32[] calldata path,
        bytes32[] calldata nodes
    ) external {
        Game storage game = _turnOf(gameId, Turn.Answer);
        _requireStated(game.claimId, statement);
        uint256 depth = Openings.depthOf(statement.opCount);
        bool isQuery = path.length == depth
            && WordTrees.rootOf(statement.query, _claimedOp(claims[game.claimId].kind, statement.opCount), path) == traceRoot;
        if (!isQuery) revert TracePathInvalid(gameId);
        game.traceRoot = traceRoot;
        _descend(game, traceRoot, depth);
        _reveal(gameId, game, nodes);
    }

    /// @inheritdoc ITraceGame
    function reveal(uint256 gameId, bytes32[] calldata nodes) external {
        _reveal(gameId, _turnOf(gameId, Turn.Reveal), nodes);
    }

    /// @inheritdoc ITraceGame
    function choose(uint256 gameId, bytes32[] calldata nodes, uint256 child) external {
        Game storage game = _turnOf(gameId, Turn.Choose);
        _choose(gameId, game, nodes, child);
        // An operation is chosen with its description.
        if (game.depth == 0 && !game.hasOp) revert TracePathInvalid(gameId);
        _next(game, game.depth == 0 ? Turn.Show : Turn.Reveal);
        emit Chosen(gameId, game.turn, game.op, game.place, game.deadline);
    }

    /// @inheritdoc ITraceGame
    function chooseOp(
        uint256 gameId,
        Statement calldata statement,
        bytes32[] calldata nodes,
        uint256 child,
        bytes calldata op,
        bytes32[] calldata path
    ) external {
        Game storage game = _turnOf(gameId, Turn.Choose);
        _requireStated(game.claimId, statement);
        _choose(gameId, game, nodes, child);
        if (game.depth != 0 || game.hasOp) revert TracePathInvalid(gameId);
        uint256 place = game.place;
        // Behind the last operation there is nothing.
        if (place >= statement.opCount) return _judge(gameId, game, game.node != 0);
        bool isOp = path.length == Openings.depthOf(statement.opCount)
            && WordTrees.rootOf(keccak256(op), place, path) == statement.program;
        if (!isOp) revert TracePathInvalid(gameId);
        TraceRules.Head memory head = rules.headOf(op);
        if (head.kind == TraceRules.Kind.Input) {
            bool isKnown = head.extra < statement.inputs.length && statement.inputs[head.extra] == game.node;
            return _judge(gameId, game, !isKnown);
        }
        (game.hasOp, game.op, game.opHash) = (true, uint64(place), keccak256(op));
        _descend(game, game.node, Openings.depthOf((head.rows * head.columns + 7) >> 3));
        _next(game, game.depth == 0 ? Turn.Show : Turn.Reveal);
        emit Chosen(gameId, game.turn, place, 0, game.deadline);
    }

    /// @inheritdoc ITraceGame
    function show(
        uint256 gameId,
        Statement calldata statement,
        uint256 number,
        bytes calldata op,
        TraceRules.Range[] calldata ranges
    ) external {
        Game storage game = _turnOf(gameId, Turn.Show);
        _requireStated(game.claimId, statement);
        if (keccak256(op) != game.opHash || number > 7) revert TracePathInvalid(gameId);
        uint256 given = uint32(uint256(game.node) >> (224 - 32 * number));
        uint256 right = rules.output(
            TraceRules.Pass(game.traceRoot, statement.opCount, statement.tokens, statement.promptCount),
            op,
            8 * uint256(game.place) + number,
            ranges
        );
        _judge(gameId, game, given != right);
    }

    /// @inheritdoc ITraceGame
    function endByTime(uint256 gameId) external {
        Game storage game = _running(gameId);
        if (block.timestamp <= game.deadline) revert TraceTooEarly(gameId, game.deadline);
        if (_isOwners(game.turn)) _refute(gameId, game);
        else _defend(gameId, game);
    }

    /// @inheritdoc ITraceGame
    function returnStake(uint256 gameId) external {
        Game storage game = games[gameId];
        if (game.turn == Turn.None) revert TraceUnknown(gameId);
        if (!isDecided(game.claimId) || game.turn == Turn.Over) revert TraceNotYourTurn(gameId, game.turn);
        uint256 amountWei = _end(game);
        owedWei[game.challenger] += amountWei;
        emit StakeReturned(gameId, game.challenger, amountWei);
    }

    /// @inheritdoc ITraceGame
    function returnBond(uint256 claimId) external {
        if (!stands(claimId)) revert TraceNotOver(claimId);
        Claim storage claimed = claims[claimId];
        uint256 amountWei = claimed.bondWei;
        if (amountWei == 0) revert TraceNothingToWithdraw(claimed.owner);
        claimed.bondWei = 0;
        owedWei[claimed.owner] += amountWei;
        emit BondReturned(claimId, claimed.owner, amountWei);
    }

    /// @inheritdoc ITraceGame
    function withdraw(address payable who) external {
        uint256 amountWei = owedWei[who];
        if (amountWei == 0) revert TraceNothingToWithdraw(who);
        owedWei[who] = 0;
        emit Withdrawn(who, amountWei);
        _pay(who, amountWei);
    }

    /// @inheritdoc ITraceGame
    function stakeFor(uint256 claimId, uint256 baseFeeWei) public view returns (uint256) {
        return _stakeOf(claims[claimId], baseFeeWei);
    }

    /// @inheritdoc ITraceGame
    function stands(uint256 claimId) public view returns (bool) {
        Claim storage claimed = claims[claimId];
        return claimed.owner != address(0) && !claimed.isRefuted && claimed.openGames == 0
            && block.timestamp >= claimed.endsAt;
    }

    /// @inheritdoc ITraceGame
    function isDecided(uint256 claimId) public view returns (bool) {
        return _isDecided(claims[claimId]);
    }

    function _requireInWindow(uint256 claimId, Claim storage claimed) internal view {
        if (claimed.owner == address(0)) revert TraceUnknown(claimId);
        if (_isDecided(claimed)) revert TraceAlreadyRefuted(claimId);
        if (block.timestamp >= claimed.endsAt) revert TraceWindowOver(claimId);
    }

    function _requireStatement(Statement calldata statement, bytes32[] calldata path) private pure {
        uint256 count = statement.tokens.length / 4;
        bool isInRange = statement.tokens.length % 4 == 0 && count >= 2 && count <= MOST_TOKENS
            && statement.promptCount >= 1 && statement.promptCount < count && statement.opCount >= 1
            && statement.opCount < 1 << MOST_DEPTH && statement.programCount < 1 << MOST_DEPTH
            && statement.modelId >> 24 == 0 && count - 1 < statement.programCount && path.length == Openings.depthOf(statement.programCount);
        // The last token is wanted, not read.
        bytes32 leaf = keccak256(abi.encode(statement.opCount, statement.program));
        if (!isInRange || WordTrees.rootOf(leaf, count - 1, path) != statement.programs) revert TraceStatementInvalid();
    }

    function _requireStated(uint256 claimId, Statement calldata statement) internal view {
        if (keccak256(abi.encode(statement)) != claims[claimId].statementHash) revert TraceOtherStatement(claimId);
    }

    /// @dev Attack: an owner whose model commitment fell by one row wins the stakes of those who stop playing about others.
    function _running(uint256 gameId) private view returns (Game storage game) {
        game = games[gameId];
        if (game.turn == Turn.None) revert TraceUnknown(gameId);
        if (game.turn == Turn.Over) revert TraceNotYourTurn(gameId, game.turn);
        if (isDecided(game.claimId)) revert TraceAlreadyRefuted(game.claimId);
    }

    function _turnOf(uint256 gameId, Turn turn) internal view returns (Game storage game) {
        game = _running(gameId);
        address player = _isOwners(turn) ? claims[game.claimId].owner : game.challenger;
        if (game.turn != turn || msg.sender != player) revert TraceNotYourTurn(gameId, game.turn);
        if (block.timestamp > game.deadline) revert TraceTooLate(gameId, game.deadline);
    }

    function _isOwners(Turn turn) private pure returns (bool) {
        return turn == Turn.Answer || turn == Turn.Reveal;
    }

    /// @dev The clock of who has moved stops, the other's goes on. No move is made after its deadline.
    function _next(Game storage game, Turn turn) private {
        Turn moved = game.turn;
        if (moved != Turn.None) {
            uint64 left = game.deadline - uint64(block.timestamp);
            if (_isOwners(moved)) game.ownerSeconds = left;
            else game.challengerSeconds = left;
        }
        game.turn = turn;
        game.deadline = uint64(block.timestamp) + (_isOwners(turn) ? game.ownerSeconds : game.challengerSeconds);
    }

    function _descend(Game storage game, bytes32 node, uint256 depth) private {
        (game.node, game.depth, game.place) = (node, uint8(depth), 0);
    }

    function _reveal(uint256 gameId, Game storage game, bytes32[] calldata nodes) private {
        uint256 step = game.depth < STEP ? game.depth : STEP;
        if (nodes.length != 1 << step || WordTrees.fold(nodes) != game.node) revert TraceNodesInvalid(gameId);
        game.step = uint8(step);
        game.nodesHash = keccak256(abi.encodePacked(nodes));
        _next(game, Turn.Choose);
        emit Revealed(gameId, nodes, game.place, game.deadline);
    }

    function _choose(uint256 gameId, Game storage game, bytes32[] calldata nodes, uint256 child) private {
        if (child >= nodes.length || keccak256(abi.encodePacked(nodes)) != game.nodesHash) {
            revert TraceNodesInvalid(gameId);
        }
        game.node = nodes[child];
        game.place = uint64((uint256(game.place) << game.step) | child);
        game.depth -= game.step;
    }

    /// @dev A challenger who has shown a right number may show another one, until his time is over.
    function _judge(uint256 gameId, Game storage game, bool isWrong) internal {
        if (!isWrong) revert TraceNothingWrong(gameId);
        _refute(gameId, game);
    }

    function _refute(uint256 gameId, Game storage game) private {
        _refuteClaim(game.claimId, gameId, game.challenger, _end(game));
    }

    /// @dev Attack: an owner who sees that he will lose challenges himself. He gets half of his bond back, or three quarters
    /// while gas is so dear that half of it pays no challenger.
    /// @param gameId 0 for none. @param endedWei Stake of the game that this ends.
    function _refuteClaim(uint256 claimId, uint256 gameId, address challenger, uint256 endedWei) internal {
        Claim storage claimed = claims[claimId];
        uint256 bondWei = claimed.bondWei;
        uint256 rewardWei = _within(CHALLENGERS_GAS * block.basefee, bondWei / 2, 3 * bondWei / 4);
        (claimed.isRefuted, claimed.bondWei) = (true, 0);
        if (claimed.key != 0) isLost[claimed.key] = true;
        owedWei[challenger] += rewardWei + endedWei;
        emit Refuted(claimId, gameId, challenger, rewardWei);
        _onRefuted(claimed, challenger);
        _pay(payable(address(0)), bondWei - rewardWei);
    }

    function _defend(uint256 gameId, Game storage game) private {
        uint256 rewardWei = _end(game);
        owedWei[claims[game.claimId].owner] += rewardWei;
        emit Defended(game.claimId, gameId, rewardWei);
    }

    /// @dev The stake, which is somebody's from now on.
    function _end(Game storage game) private returns (uint256 amountWei) {
        amountWei = game.stakeWei;
        (game.turn, game.stakeWei) = (Turn.Over, 0);
        Claim storage claimed = claims[game.claimId];
        claimed.openGames--;
        openGamesOf[claimed.owner]--;
        _onGames(claimed, false);
    }

    /// @dev What the next challenge of this claim costs. Attack: games about another claim, before the one that counts.
    function _stakeOf(Claim storage claimed, uint256 baseFeeWei) internal view virtual returns (uint256) {
        return _ladder(claimed.openGames, GAMES_A_STAKE, baseFeeWei);
    }

    /// @dev A stake pays the owner's moves, whatever gas costs, up to a bound; beside `open` games it is dearer.
    function _ladder(uint256 open, uint256 gamesAStake, uint256 baseFeeWei) internal view returns (uint256) {
        return _within(OWNERS_GAS * baseFeeWei, stakeWei, MOST_STAKES * stakeWei) * (1 + open / gamesAStake);
    }

    function _within(uint256 wei_, uint256 leastWei, uint256 mostWei) private pure returns (uint256) {
        if (wei_ < leastWei) return leastWei;
        return wei_ < mostWei ? wei_ : mostWei;
    }

    function _isDecided(Claim storage claimed) internal view virtual returns (bool) {
        return claimed.isRefuted;
    }

    /// @dev Which operation's results are claimed: a query is the last one's.
    function _claimedOp(Kind kind, uint256 opCount) private pure returns (uint256) {
        return opCount - (kind == Kind.Row ? ROW_OPS : 1);
    }

    /// @dev A game about the claim is one more that is open, or one fewer.
    function _onGames(Claim storage claimed, bool isOpened) internal virtual {}

    function _onRefuted(Claim storage claimed, address challenger) internal virtual {}

    function _pay(address payable who, uint256 amountWei) private {
        (bool isPaid,) = who.call{value: amountWei}("");
        if (!isPaid) revert TracePaymentRefused(who);
    }
}
