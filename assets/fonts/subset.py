"""Cuts the shipped fonts down to what Timeglass shows; see README.md beside the fonts."""
import sys
from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x259, 0x259), (0x2B0, 0x36F), (0x370, 0x3FF), (0x400, 0x52F),
    (0x1E00, 0x1FFF), (0x2000, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x23FF), (0x2500, 0x25FF),
    (0x2713, 0x2713), (0x2717, 0x2717), (0xFFFD, 0xFFFD),
]

def cut(source, target, keep):
    font = TTFont(source)
    font.flavor = None
    options = subset.Options(layout_features=keep, notdef_outline=True, name_IDs=["*"])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[c for first, last in RANGES for c in range(first, last + 1)])
    cutter.subset(font)
    if "tnum" in keep:
        # Digits of one width by default: numbers in a column line up.
        swaps = {}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            for table in lookup.SubTable:
                table = getattr(table, "ExtSubTable", table)
                if table.LookupType == 1:
                    for a, b in table.mapping.items():
                        if b.endswith(".tf"):
                            swaps[a] = b
        for table in font["cmap"].tables:
            for code in range(0x30, 0x3A):
                if code in table.cmap:
                    table.cmap[code] = swaps[table.cmap[code]]
        options.layout_features = [feature for feature in keep if feature != "tnum"]
        again = subset.Subsetter(options)
        again.populate(unicodes=list(font.getBestCmap()))
        again.subset(font)
    font.save(target)

cut(sys.argv[1], sys.argv[2], sys.argv[3].split(","))
