"""What records of models and the gallery say, for `make texts` to find: the page translates whatever it reads there.

Nothing imports this. What is missing here is shown as it is written.
"""

from app.ui.texts import N_

TITLES = N_("Digits"), N_("Chinese numerals"), N_("Ukrainian letters")

SETS = (
    N_("drawings"),
    N_("turned drawings"),
    N_("photographs"),
    N_("no character"),
    N_("validation"),
    N_("damaged"),
    N_("small"),
    N_("case"),
    N_("MNIST test"),
    N_("USPS test"),
    N_("Chinese MNIST test"),
    N_("Cyrillic-MNIST test"),
    N_("drawn digits"),
    N_("5 folds"),
)

PICTURES_OF_SETS = (
    N_("scanned digits, the usual test set"),
    N_("canvas drawings by people never seen: any place, size, brush and paper"),
    N_("the same drawings, turned by up to 20 degrees"),
    N_("ink on paper with shadows, ruling, blur, JPEG (made from those strokes)"),
    N_("another set of scans"),
    N_("16x16 pixels, black or white only"),
    N_("32x32 pixels, black or white only"),
    N_("MNIST's test set with 15 corruptions"),
    N_("MNIST's test set, corrupted"),
    N_("numerals of 15 people never seen, as they come"),
    N_("their skeletons drawn on a canvas: any place, size, brush and paper"),
    N_("scanned digits"),
    N_("canvas drawings by people never seen"),
    N_("letters as they come"),
    N_("letters by many hands, some labels inferred"),
)

CORRUPTIONS = (
    N_("shot noise"),
    N_("impulse noise"),
    N_("glass blur"),
    N_("motion blur"),
    N_("shear"),
    N_("scale"),
    N_("rotate"),
    N_("brightness"),
    N_("translate"),
    N_("stripe"),
    N_("fog"),
    N_("spatter"),
    N_("dotted line"),
    N_("zigzag"),
    N_("canny edges"),
)

FIGURES = (
    N_("calibration"),
    N_("expected calibration error"),
    N_("count"),
    N_("out-of-distribution"),
    N_("roc area"),
    N_("flagged"),
    N_("characters flagged"),
)

NUMERALS = (
    N_("zero, líng"),
    N_("one, yī"),
    N_("two, èr"),
    N_("three, sān"),
    N_("four, sì"),
    N_("five, wǔ"),
    N_("six, liù"),
    N_("seven, qī"),
    N_("eight, bā"),
    N_("nine, jiǔ"),
    N_("ten, shí"),
    N_("hundred, bǎi"),
    N_("thousand, qiān"),
    N_("ten thousand, wàn"),
    N_("hundred million, yì"),
)

LETTERS = (
    N_("a"),
    N_("be"),
    N_("ve"),
    N_("he"),
    N_("ge"),
    N_("de"),
    N_("e"),
    N_("ye"),
    N_("zhe"),
    N_("ze"),
    N_("y"),
    N_("i"),
    N_("yi"),
    N_("yot"),
    N_("ka"),
    N_("el"),
    N_("em"),
    N_("en"),
    N_("o"),
    N_("pe"),
    N_("er"),
    N_("es"),
    N_("te"),
    N_("u"),
    N_("ef"),
    N_("kha"),
    N_("tse"),
    N_("che"),
    N_("sha"),
    N_("shcha"),
    N_("soft sign"),
    N_("yu"),
    N_("ya"),
)

EXAMPLES = (
    N_("Digits that people wrote by hand, from the MNIST test set."),
    N_("Numerals that people wrote by hand, from Chinese MNIST; the model has not learned from these people."),
    N_("Handwritten letters from Rukopys, from which the model has learned."),
)
