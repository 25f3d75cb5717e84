"""Countries as documents write them: ISO 3166 letters, and the codes only passports know."""

from __future__ import annotations

from pos.domain.typed import plain

# ISO 3166-1: two letters, then the three that stand for the same country.
_ISO = """
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB BDBGD
BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN
CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU
DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB
GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG
HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN
KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU
LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR
MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL
OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB
RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP
SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN
TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF
ZMZMB ZWZWE
"""

# Doc 9303 part 3, section 5, parts B to H: codes no two-letter twin stands for. Last, what Kosovo and
# those who write to it print: RKS, XKX, XXK.
_SPECIAL_CODES = "EUE UNO UNA UNK XBA XIM XCC XCE XCO XEC XPO XES XMP XOM XDC XXA XXB XXC XXX UTO IAO RKS XKX XXK"

# The same section: Germany writes one letter; the United Kingdom tells its kinds of nationals apart.
_VARIANTS = {"D": "DE", "GBD": "GB", "GBN": "GB", "GBO": "GB", "GBP": "GB", "GBS": "GB"}

_SPECIAL = frozenset(_SPECIAL_CODES.split())
_ALPHA3 = {pair[:2]: pair[2:] for pair in _ISO.split()}
_ALPHA2 = {three: two for two, three in _ALPHA3.items()} | _VARIANTS


def alpha2(code: str) -> str | None:
    """``GBR``, ``GBN``, ``gb`` all give ``GB``, ``D`` and ``D<<`` give ``DE``; None for a code of no country
    (``UNO``, ``XXA``) and for what is no code."""
    letters = _letters(code)
    return letters if letters in _ALPHA3 else _ALPHA2.get(letters)


def alpha3(code: str) -> str | None:
    """The ISO 3166 three letters of a country written in any of the ways alpha2() reads; None where it gives None."""
    two = alpha2(code)
    return None if two is None else _ALPHA3[two]


def is_mrz_code(code: str) -> bool:
    """Whether ``code`` may stand in the issuing state or nationality of an MRZ: with its fillers (``D<<``) or
    without."""
    letters = _letters(code)
    return letters in _ALPHA2 or letters in _SPECIAL


def issuer_key(code: str) -> str | None:
    """One name per issuer, for policies and books: alpha-2 where there is one, else the special code (``UNO``); None
    for what is neither."""
    letters = _letters(code)
    return alpha2(letters) or (letters if letters in _SPECIAL else None)


def _letters(code: str) -> str:
    return plain(code).strip(" <").upper()
