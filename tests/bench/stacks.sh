# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Stacks of a profile, folded and as text: source it. A folded line is "thread;caller;...;function N".

# stacks_fold: of what `perf script -F comm,ip,sym` prints: a line for the thread, one a frame, innermost first, an empty one. Threads
# that differ in their number are one, and so are the pieces that a compiler made of a function, and frames that follow each other and
# have the same name.
stacks_fold() {
    awk '
        function stack_end(    i, line) {
            if (depth == 0) return
            line = thread
            for (i = depth; i >= 1; i--) line = line ";" frame[i]
            count[line]++
            depth = 0
        }
        NF == 0 {stack_end(); next}
        /^[^ \t]/ {stack_end(); thread = $1; sub(/[-:\/]?[0-9]+$/, "", thread); next}
        {
            name = $2
            sub(/\.(part|isra|constprop|cold).*/, "", name)
            if (name == "" || name == "[unknown]") name = $1 ~ /^ffff/ ? "[kernel]" : "[unknown]"
            if (depth == 0 || frame[depth] != name) frame[++depth] = name
        }
        END {stack_end(); for (line in count) print line, count[line]}' | sort
}

# stacks_count FILE: samples.
stacks_count() {
    awk '{sum += $NF} END {print sum + 0}' "$1"
}

# stacks_dearest N FILE: the functions in which most samples are.
stacks_dearest() {
    echo "  self"
    awk '{n = $NF; sub(/ [0-9]+$/, ""); sub(/.*;/, ""); self[$0] += n; all += n}
        END {for (name in self) printf "%5.1f %%  %s\n", 100 * self[name] / all, name}' "$2" | sort -k1,1nr -k3 | head -n "$1" || true
}

# stacks_tree PERCENT FILE: who calls whom, down to so much of all samples, the dearest first; calls that have all of their caller are on
# its line.
stacks_tree() {
    awk -v least="$1" '
        # The place of the dearest child of a node that was not told yet; 0: none is dear enough.
        function dearest(node,    i, best) {
            best = 0
            for (i = 1; i <= children[node]; i++)
                if (!told[node, i] && count[child[node, i]] >= least * all / 100 && (best == 0 || count[child[node, i]] > count[child[node, best]]))
                    best = i
            return best
        }
        function tell(node, indent,    i, line, at) {
            line = name[node]
            at = node
            while ((i = dearest(at)) != 0 && count[child[at, i]] == count[node]) {
                at = child[at, i]
                line = line " > " name[at]
            }
            printf "%5.1f %%  %s%s\n", 100 * count[node] / all, indent, line
            while ((i = dearest(at)) != 0) {
                told[at, i] = 1
                tell(child[at, i], indent "  ")
            }
        }
        {
            n = $NF
            sub(/ [0-9]+$/, "")
            all += n
            parts = split($0, part, ";")
            node = ""
            for (p = 1; p <= parts; p++) {
                up = node
                node = up ";" part[p]
                if (!(node in count)) {
                    child[up, ++children[up]] = node
                    name[node] = part[p]
                }
                count[node] += n
            }
        }
        END {
            print "  with what it calls"
            while ((p = dearest("")) != 0) {
                told["", p] = 1
                tell(child["", p], "")
            }
        }' "$2"
}
