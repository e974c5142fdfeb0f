"""Every picture of the companion: one function a figure, a module a chapter, one style.

All of them are here by name: `figures.history`, `figures.taylor`.
"""

from qw2v.figures._style import *
from qw2v.figures.analogies import *
from qw2v.figures.closed_form import *
from qw2v.figures.counting import *
from qw2v.figures.derivation import *
from qw2v.figures.exact import *
from qw2v.figures.features import *
from qw2v.figures.relatives import *
from qw2v.figures.steps import *
from qw2v.figures.training import *
from qw2v.figures.weights import *
