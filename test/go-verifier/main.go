// Command go-verifier verifies a privacy log with the packages that verify Go's own checksum database. It shares nothing
// with the code that wrote the log.
//
//	go-verifier [-key FILE] [-earlier FILE] [-proofs FILE] LOG
//
// LOG is an address (http://127.0.0.1:3000/v1/privacy-log; the API key is taken from REGULARS_API_KEY) or a folder with the same
// resources in it: checkpoint, tile/<L>/<N>, tile/entries/<N>. It accepts the log if the checkpoint is signed by the key, the
// entries give its root, and every tile holds the hashes of the entries.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height      = 8
	width       = 1 << height
	resourceMax = width * (2 + 1<<16)
)

func main() {
	keyFile := flag.String("key", "", "file with the verifier key (default: LOG/key, which only shows that all fits together)")
	earlier := flag.String("earlier", "", "file with an earlier checkpoint, which the log must go on from")
	proofs := flag.String("proofs", "", "file with proofs, one JSON object a line, as the API answers")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := verify(flag.Arg(0), *keyFile, *earlier, *proofs); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func verify(log, keyFile, earlierFile, proofsFile string) error {
	verifiers, err := readKey(log, keyFile)
	if err != nil {
		return err
	}
	signed, err := fetch(log, "checkpoint")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(signed, verifiers)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	hashes, err := hashEntries(log, tree.N)
	if err != nil {
		return err
	}
	if root, err := rootAt(tree.N, hashes); err != nil || root != tree.Hash {
		return fmt.Errorf("the entries give the root %v, the checkpoint says %v (%v)", root, tree.Hash, err)
	}
	tileCount, err := checkTiles(log, tree, hashes)
	if err != nil {
		return err
	}
	if err := checkTileReader(log, tree, hashes); err != nil {
		return err
	}
	if earlierFile != "" {
		if err := checkEarlier(earlierFile, verifiers, tree, hashes); err != nil {
			return err
		}
	}
	proofCount := 0
	if proofsFile != "" {
		if proofCount, err = checkProofs(proofsFile, hashes); err != nil {
			return err
		}
	}
	fmt.Printf("accepted: %d entries, %d tiles, %d proofs, root %v\n", tree.N, tileCount, proofCount, tree.Hash)
	return nil
}

func readKey(log, keyFile string) (note.Verifiers, error) {
	var text []byte
	var err error
	if keyFile == "" {
		text, err = fetch(log, "key")
	} else {
		text, err = os.ReadFile(keyFile)
	}
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return note.VerifierList(verifier), nil
}

// openCheckpoint reads what c2sp.org/tlog-checkpoint describes: origin, size, root.
func openCheckpoint(signed []byte, verifiers note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(signed, verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != opened.Sigs[0].Name {
		return tlog.Tree{}, errors.New("not a checkpoint of the key's log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// storedHashes are all hashes of the tree, made from the entries.
type storedHashes []tlog.Hash

func (stored storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(stored)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		found[i] = stored[index]
	}
	return found, nil
}

func hashEntries(log string, size int64) (storedHashes, error) {
	var stored storedHashes
	for start := int64(0); start < size; start += width {
		tile := tlog.Tile{H: height, L: -1, N: start / width, W: int(min(width, size-start))}
		bundle, err := fetchTile(log, tile)
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("bundle %d is cut off", tile.N)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			hashes, err := tlog.StoredHashes(start+int64(i), bundle[2:end], stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, hashes...)
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("bundle %d holds more than %d entries", tile.N, tile.W)
		}
	}
	return stored, nil
}

// rootAt is tlog.TreeHash, which has another root than RFC 6962 for a tree without entries.
func rootAt(size int64, hashes tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return tlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	}
	return tlog.TreeHash(size, hashes)
}

// checkTiles compares every tile of the tree with the hashes of the entries, whole and hash by hash.
func checkTiles(log string, tree tlog.Tree, stored storedHashes) (int, error) {
	tiles := map[[2]int64]tlog.Tile{}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		// The widest of each is the one that this tree has.
		if at := [2]int64{int64(tile.L), tile.N}; tiles[at].W < tile.W {
			tiles[at] = tile
		}
	}
	served := map[[2]int64][]byte{}
	for at, tile := range tiles {
		data, err := fetchTile(log, tile)
		if err != nil {
			return 0, err
		}
		expected, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(data, expected) {
			return 0, fmt.Errorf("%s does not hold the hashes of the entries", tilePath(tile))
		}
		served[at] = data
	}
	for index, expected := range stored {
		at := tlog.TileForIndex(height, int64(index))
		key := [2]int64{int64(at.L), at.N}
		hash, err := tlog.HashFromTile(tiles[key], served[key], int64(index))
		if err != nil {
			return 0, err
		}
		if hash != expected {
			return 0, fmt.Errorf("hash %d read from %s is wrong", index, tilePath(tiles[key]))
		}
	}
	return len(tiles), nil
}

// servedTiles gives tiles to tlog's own reader, which authenticates them against the tree.
type servedTiles struct{ log string }

func (served servedTiles) Height() int { return height }
func (served servedTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := fetchTile(served.log, tile)
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}
func (served servedTiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTileReader proves entries from the tiles alone, as a client does that does not fetch the whole log.
func checkTileReader(log string, tree tlog.Tree, stored storedHashes) error {
	reader := tlog.TileHashReader(tree, servedTiles{log})
	for index := int64(0); index < tree.N; index += 1 + tree.N/20 {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		leaf := stored[tlog.StoredHashIndex(0, index)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

func checkEarlier(file string, verifiers note.Verifiers, tree tlog.Tree, stored storedHashes) error {
	signed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, err := openCheckpoint(signed, verifiers)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if before.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, before.N, stored)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash); err != nil {
		return fmt.Errorf("the log does not go on from the earlier checkpoint of %d entries: %w", before.N, err)
	}
	return nil
}

// proof is an answer of /proofs/inclusion or /proofs/consistency.
type proof struct {
	Index, Size, From, To                *int64
	LeafHash, RootHash, FromRoot, ToRoot tlog.Hash
	Hashes                               []tlog.Hash
}

func checkProofs(file string, stored storedHashes) (int, error) {
	opened, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	lines := bufio.NewScanner(opened)
	count := 0
	for ; lines.Scan(); count++ {
		var given proof
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			return 0, fmt.Errorf("proof %d: %w", count, err)
		}
		if err := given.check(stored); err != nil {
			return 0, fmt.Errorf("proof %d: %w", count, err)
		}
	}
	return count, lines.Err()
}

func (given proof) check(stored storedHashes) error {
	if given.Index != nil && given.Size != nil {
		if *given.Index < 0 || *given.Index >= *given.Size {
			return errors.New("the entry is not in the tree")
		}
		root, err := rootAt(*given.Size, stored)
		if err != nil || root != given.RootHash || stored[tlog.StoredHashIndex(0, *given.Index)] != given.LeafHash {
			return fmt.Errorf("it is of another entry or tree (%v)", err)
		}
		return tlog.CheckRecord(given.Hashes, *given.Size, given.RootHash, *given.Index, given.LeafHash)
	}
	if given.From == nil || given.To == nil {
		return errors.New("neither of inclusion nor of consistency")
	}
	from, err1 := rootAt(*given.From, stored)
	to, err2 := rootAt(*given.To, stored)
	if err1 != nil || err2 != nil || from != given.FromRoot || to != given.ToRoot {
		return fmt.Errorf("it is of other trees (%v, %v)", err1, err2)
	}
	return tlog.CheckTree(given.Hashes, *given.To, given.ToRoot, *given.From, given.FromRoot)
}

// tilePath is tlog's path as c2sp.org/tlog-tiles writes it: without the height, and with entries for data.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tile.H))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func fetchTile(log string, tile tlog.Tile) ([]byte, error) {
	return fetch(log, tilePath(tile))
}

var client = http.Client{Timeout: 30 * time.Second}

func fetch(log, path string) ([]byte, error) {
	if !strings.HasPrefix(log, "http://") && !strings.HasPrefix(log, "https://") {
		return os.ReadFile(filepath.Join(log, filepath.FromSlash(path)))
	}
	request, err := http.NewRequest(http.MethodGet, strings.TrimSuffix(log, "/")+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("REGULARS_API_KEY"))
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, resourceMax))
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
