"""The course: problem sets from one source each, graded apart from what it grades.

    sources      assignments/*.ipynb: questions, solutions, tests, wrong and other right answers
    build        student notebooks, solutions, autograders, the instructor's guide
    grading      runs a submission in a sandbox, asks its functions, decides outside

`python -m course --help` (with tools/ on the path) lists the commands; `make course` and
`make grade` call it.
"""
