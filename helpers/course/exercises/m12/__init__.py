"""Module 12, Answer the review questions: five answers, each judged by the evidence it cites."""
